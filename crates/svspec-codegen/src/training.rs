//! The training settings to the text of `src/training.rs`.

use crate::options::SpecSource;
use crate::{GenerateError, header, literal, print};
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::{Health, Model, Precision, Remedy, Schedule, Shape};

/// The file.
pub fn emit(model: &Model, spec: &SpecSource) -> Result<String, GenerateError> {
    let train = &model.train;
    let docs = [
        format!("How `{}` is trained; the command line may override steps and seed.", model.name),
        header::provenance(spec, &model.name),
    ];
    let integers = [
        train.steps,
        train.batch,
        train.micro_batch,
        train.eval_every,
        train.checkpoint_every,
        train.keep_last,
        train.seed,
    ];
    let [steps, batch, micro_batch, eval_every, checkpoint_every, keep_last, seed] =
        integers.map(literal::integer);
    let keep_every = literal::optional(train.keep_every.map(literal::integer));
    let of_shape = [train.schedule, train.decay_schedule].into_iter().any(has_shape).then(|| quote!(Shape,));
    let (schedule, decay_schedule) = (schedule(train.schedule), schedule(train.decay_schedule));
    let precision = match train.precision {
        Precision::F32 => quote!(Precision::F32),
        Precision::Bf16 => quote!(Precision::Bf16),
        Precision::Bf16Stochastic => quote!(Precision::Bf16Stochastic),
    };
    let clip = literal::optional(train.clip.map(literal::float));
    let is_usual = train.health == Health::default();
    let of_health = (!is_usual).then(|| {
        quote!(
            use svspec_runtime::spec::{Remedy, Spike};
        )
    });
    let health = if is_usual { quote!(Health::USUAL) } else { health(train.health) };
    let lr = literal::float(model.optimizer.lr);
    let (blank, doc) = (print::blank(), print::docs(["The settings of the spec, resolved."]));
    let items = quote! {
        #blank
        use svspec_runtime::spec::{Health, Precision, Schedule, #of_shape Training};
        #of_health
        #blank
        #doc
        pub const TRAINING: Training = Training {
            steps: #steps,
            batch: #batch,
            micro_batch: #micro_batch,
            schedule: #schedule,
            decay_schedule: #decay_schedule,
            precision: #precision,
            clip: #clip,
            eval_every: #eval_every,
            checkpoint_every: #checkpoint_every,
            keep_last: #keep_last,
            keep_every: #keep_every,
            health: #health,
            seed: #seed,
            lr: #lr,
        };
    };
    print::file("src/training.rs", &docs, items)
}

fn health(health: Health) -> TokenStream {
    let [on_non_finite, on_spike, on_dead_scale] =
        [health.on_non_finite, health.on_spike.remedy, health.on_dead_scale].map(remedy);
    let deviations = literal::float(health.on_spike.deviations);
    quote! {
        Health {
            on_non_finite: #on_non_finite,
            on_spike: Spike { remedy: #on_spike, deviations: #deviations },
            on_dead_scale: #on_dead_scale,
        }
    }
}

fn remedy(remedy: Remedy) -> TokenStream {
    match remedy {
        Remedy::Log => quote!(Remedy::Log),
        Remedy::Stop => quote!(Remedy::Stop),
        Remedy::Skip => quote!(Remedy::Skip),
        Remedy::RollBack => quote!(Remedy::RollBack),
    }
}

fn schedule(schedule: Schedule) -> TokenStream {
    let warmup = literal::integer(schedule.warmup());
    match schedule {
        Schedule::Constant { .. } => quote!(Schedule::Constant { warmup: #warmup }),
        Schedule::Linear { floor, .. } => {
            let floor = literal::float(floor);
            quote!(Schedule::Linear { warmup: #warmup, floor: #floor })
        }
        Schedule::Cosine { floor, .. } => {
            let floor = literal::float(floor);
            quote!(Schedule::Cosine { warmup: #warmup, floor: #floor })
        }
        Schedule::Wsd { decay, floor, shape, .. } => {
            let (decay, floor) = (literal::integer(decay), literal::float(floor));
            let shape = match shape {
                Shape::Linear => quote!(Shape::Linear),
                Shape::Sqrt => quote!(Shape::Sqrt),
                Shape::Cosine => quote!(Shape::Cosine),
            };
            quote!(Schedule::Wsd { warmup: #warmup, decay: #decay, floor: #floor, shape: #shape })
        }
        Schedule::InverseSqrt { .. } => quote!(Schedule::InverseSqrt { warmup: #warmup }),
    }
}

/// Whether the code of a schedule names [`Shape`].
fn has_shape(schedule: Schedule) -> bool {
    match schedule {
        Schedule::Wsd { .. } => true,
        Schedule::Constant { .. }
        | Schedule::Linear { .. }
        | Schedule::Cosine { .. }
        | Schedule::InverseSqrt { .. } => false,
    }
}
