//! The training settings to the text of `src/training.rs`.

use crate::options::SpecSource;
use crate::{GenerateError, header, literal, print};
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::{Model, Precision, Schedule};

/// The file.
pub fn emit(model: &Model, spec: &SpecSource) -> Result<String, GenerateError> {
    let train = &model.train;
    let docs = [
        format!("How `{}` is trained; the command line may override steps and seed.", model.name),
        header::provenance(spec, &model.name),
    ];
    let integers =
        [train.steps, train.batch, train.micro_batch, train.eval_every, train.checkpoint_every, train.seed];
    let [steps, batch, micro_batch, eval_every, checkpoint_every, seed] = integers.map(literal::integer);
    let schedule = schedule(train.schedule);
    let precision = match train.precision {
        Precision::F32 => quote!(Precision::F32),
        Precision::Bf16 => quote!(Precision::Bf16),
    };
    let clip = literal::optional(train.clip.map(literal::float));
    let adamw = &model.optimizer;
    let floats = [adamw.lr, adamw.betas.0, adamw.betas.1, adamw.eps];
    let [lr, beta1, beta2, eps] = floats.map(literal::float);
    let (blank, doc) = (print::blank(), print::docs(["The settings of the spec, resolved."]));
    let items = quote! {
        #blank
        use svspec_runtime::spec::{Precision, Schedule, Training};
        #blank
        #doc
        pub const TRAINING: Training = Training {
            steps: #steps,
            batch: #batch,
            micro_batch: #micro_batch,
            schedule: #schedule,
            precision: #precision,
            clip: #clip,
            eval_every: #eval_every,
            checkpoint_every: #checkpoint_every,
            seed: #seed,
            lr: #lr,
            betas: (#beta1, #beta2),
            eps: #eps,
        };
    };
    print::file("src/training.rs", &docs, items)
}

fn schedule(schedule: Schedule) -> TokenStream {
    match schedule {
        Schedule::Constant { warmup } => {
            let warmup = literal::integer(warmup);
            quote!(Schedule::Constant { warmup: #warmup })
        }
        Schedule::Cosine { warmup, floor } => {
            let (warmup, floor) = (literal::integer(warmup), literal::float(floor));
            quote!(Schedule::Cosine { warmup: #warmup, floor: #floor })
        }
        Schedule::Wsd { warmup, decay, floor } => {
            let (warmup, decay) = (literal::integer(warmup), literal::integer(decay));
            let floor = literal::float(floor);
            quote!(Schedule::Wsd { warmup: #warmup, decay: #decay, floor: #floor })
        }
    }
}
