//! What is measured of scale vectors, against plain sums over the entries.

use crate::hand::{ADAMW, Hand, scale};
use crate::runs;
use crate::tiny::Tiny;
use svspec_runtime::observation::Observation;
use svspec_runtime::scale_stats::{self, ScaleStats};
use svspec_runtime::schedule::Factors;
use svspec_runtime::spec::{Absorber, Block, Entries, GroupRow, Init, Layers, ParamRow, ScaleForm, Spec};
use svspec_runtime::{Model, Params};
use tch::{Device, Kind, Tensor};

const fn param(path: &'static str, layers: Layers, shape: &'static [i64], group: usize) -> ParamRow {
    ParamRow { path, layers, shape, group, init: Init::Normal(1.0) }
}

const fn group(name: &'static str, lr: f64, weight_decay: f64) -> GroupRow {
    GroupRow { name, algorithm: ADAMW, lr, weight_decay, clipped: true, rule: "" }
}

const STACK: Layers = Layers::Range(0, 2);
/// One vector of each form, and one for every way that a weight takes it.
const SPEC: &Spec = &Spec {
    name: "vectors",
    params: &[
        param("direct", STACK, &[3], 0),
        param("one_plus", Layers::Outside, &[3], 0),
        param("softplus", Layers::Outside, &[3], 2),
        param("or.magnitude", Layers::Outside, &[], 0),
        param("or.direction", Layers::Outside, &[3], 1),
        param("er.magnitude", Layers::Outside, &[], 1),
        param("er.direction", Layers::Outside, &[3], 0),
        param("q.weight", STACK, &[2, 3], 2),
        param("k.weight", STACK, &[5, 3], 2),
        param("o.weight", Layers::Outside, &[4, 13], 2),
        param("up.weight", Layers::Outside, &[3, 4], 2),
        param("up.bias", Layers::Outside, &[3], 2),
    ],
    groups: &[group("decayed", 1e-2, 0.1), group("less", 2e-2, 0.02), group("not", 1e-3, 0.0)],
    scales: &[
        scale(
            "direct",
            STACK,
            ScaleForm::Direct,
            &[
                Absorber::columns("q.weight", [1, 2, 3], Entries::Each),
                Absorber::columns("k.weight", [1, 5, 3], Entries::Each),
            ],
        ),
        scale(
            "one_plus",
            Layers::Outside,
            ScaleForm::OnePlus,
            &[Absorber::columns(
                "o.weight",
                [1, 4, 13],
                // Three entries, each repeated for two heads of two groups, behind a channel that takes none.
                Entries::Blocks(&[Block { channel: 1, entry: 0, sizes: &[2, 3, 2], strides: &[0, 1, 0] }]),
            )],
        ),
        scale(
            "softplus",
            Layers::Outside,
            ScaleForm::Softplus,
            &[
                Absorber::rows("up.weight", [1, 3, 4], Entries::Each),
                Absorber::columns("up.bias", [1, 1, 3], Entries::Each),
            ],
        ),
        scale("or", Layers::Outside, ScaleForm::MagnitudeDirection, &[]),
        scale("er", Layers::Outside, ScaleForm::ExpMagnitudeDirection, &[]),
    ],
    ..*Hand::<Tiny>::SPEC
};

const FACTORS: Factors = Factors { lr: 0.5, decay: 0.8 };

fn params() -> Params {
    Params::init(SPEC, 4, Device::Cpu)
}

fn stats(params: &Params) -> impl Fn(&str) -> ScaleStats {
    let all = scale_stats::measure(SPEC, params, FACTORS);
    move |name| all.iter().find(|stats| stats.name == name).unwrap().clone()
}

fn numbers(params: &Params, name: &str) -> Vec<f64> {
    Vec::try_from(params.get(name).to_kind(Kind::Double).flatten(0, -1)).unwrap()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{what}: {found} for {expected}");
}

#[test]
fn a_vector_is_compared_with_the_columns_of_all_that_take_it() {
    let params = params();
    for layer in ["layers.0", "layers.1"] {
        let gamma = numbers(&params, &format!("{layer}.direct"));
        let [q, k] = ["q", "k"].map(|name| numbers(&params, &format!("{layer}.{name}.weight")));
        let column = |j: usize| q.iter().chain(&k).skip(j).step_by(3).map(|w| w * w).sum::<f64>();
        let stats = stats(&params)(&format!("{layer}.direct"));
        assert_close(stats.weight_square.unwrap(), mean((0..3).map(column)), layer);
        assert_close(stats.balance.unwrap(), mean((0..3).map(|j| gamma[j] * gamma[j] - column(j))), layer);
        let least = gamma.iter().map(|entry| entry * entry).fold(f64::INFINITY, f64::min);
        assert_close(stats.least_eigenvalue.unwrap(), least, layer);
    }
}

#[test]
fn an_entry_is_compared_with_every_channel_that_it_multiplies() {
    let params = params();
    let o = numbers(&params, "o.weight");
    let taken = |channel: usize| (channel - 1) / 2 % 3;
    let square = |entry: usize| {
        let channels = (1..13).filter(|&channel| taken(channel) == entry);
        channels.flat_map(|channel| o.iter().skip(channel).step_by(13)).map(|w| w * w).sum::<f64>()
    };
    let stats = stats(&params)("one_plus");
    assert_close(stats.weight_square.unwrap(), mean((0..3).map(square)), "columns");
}

#[test]
fn rows_are_compared_with_their_bias() {
    let params = params();
    let (up, bias) = (numbers(&params, "up.weight"), numbers(&params, "up.bias"));
    let square = |j: usize| up[4 * j..4 * j + 4].iter().map(|w| w * w).sum::<f64>() + bias[j] * bias[j];
    assert_close(stats(&params)("softplus").weight_square.unwrap(), mean((0..3).map(square)), "rows");
    let of_none = stats(&params)("or");
    assert_eq!((of_none.balance, of_none.weight_square, of_none.least_eigenvalue), (None, None, None));
}

#[test]
fn decay_is_that_of_the_vector_whatever_its_parameters_are() {
    let params = params();
    let stats = stats(&params);
    // A step's decay of each group.
    let (decayed, less) = (1e-2 * 0.5 * 0.1 * 0.8, 2e-2 * 0.5 * 0.02 * 0.8);
    assert_close(stats("layers.1.direct").effective_decay, decayed, "direct");
    assert!(stats("softplus").effective_decay.abs() < f64::MIN_POSITIVE);
    // The direction's length is no part of γ.
    assert_close(stats("or").effective_decay, decayed, "or");
    let share = |gamma: &[f64], after: &[f64]| {
        let product: f64 = gamma.iter().zip(after).map(|(a, b)| a * b).sum();
        1.0 - product / gamma.iter().map(|a| a * a).sum::<f64>()
    };
    let alpha = numbers(&params, "one_plus");
    let one_plus = |keep: f64| alpha.iter().map(|alpha| 1.0 + keep * alpha).collect::<Vec<_>>();
    assert_close(
        stats("one_plus").effective_decay,
        share(&one_plus(1.0), &one_plus(1.0 - decayed)),
        "one_plus",
    );
    let (beta, alpha) = (numbers(&params, "er.magnitude")[0], numbers(&params, "er.direction"));
    let er = |keep_beta: f64, keep_alpha: f64| {
        let mean = mean(alpha.iter().map(|alpha| keep_alpha * alpha));
        alpha.iter().map(|alpha| (keep_beta * beta + keep_alpha * alpha - mean).exp()).collect::<Vec<_>>()
    };
    assert_close(stats("er").effective_decay, share(&er(1.0, 1.0), &er(1.0 - less, 1.0 - decayed)), "er");
}

#[test]
fn gradient_flow_keeps_the_balance() {
    // d/dt (γ_j² − ‖w_j‖²) = 2 (⟨w_j, ∂L/∂w_j⟩ − γ_j ∂L/∂γ_j), which is 0 for every entry if the function depends on products alone.
    let params = Params::init(Hand::<Tiny>::SPEC, 0, Device::Cpu).in_kind(Hand::<Tiny>::SPEC, Kind::Double);
    let model = Hand::<Tiny>::new(&params);
    let tokens = Tensor::randint(256, [2, 33], (Kind::Int64, Device::Cpu));
    let loss = model.loss(&tokens.narrow(1, 0, 32), &tokens.narrow(1, 1, 32));
    let gradients = params.gradients(&loss);
    let product = |name: &str| {
        let place = params.iter().position(|param| param.name == name).unwrap();
        params.get(name) * &gradients[place]
    };
    let row = Hand::<Tiny>::SPEC.scales.iter().find(|row| row.path == "mlp_norm.scale").unwrap();
    let of_scale = product("layers.1.mlp_norm.scale");
    let of_weights: Tensor = row
        .absorbers
        .iter()
        .map(|absorber| {
            product(&format!("layers.1.{}", absorber.path)).sum_dim_intlist(0, false, Kind::Double)
        })
        .sum();
    let largest = of_scale.abs().max().double_value(&[]);
    assert!(largest > 0.0 && (of_scale - of_weights).abs().max().double_value(&[]) < 1e-12 * largest);
}

#[test]
fn rows_of_a_run_have_what_was_asked_for() {
    let _turn = runs::turn();
    let folder = runs::Folder::new("observed");
    let mut options = runs::options(&folder.corpus(), &folder.join("run"));
    options.steps = Some(10);
    options.observation = Observation { sharpness: true, peak_flops: Some(1e12) };
    runs::train::<Tiny>(&options).unwrap();
    let rows = runs::rows(&folder.join("run/metrics.jsonl"));
    let with =
        |field: &str| rows.iter().filter(|row| row.get(field).is_some_and(serde_json::Value::is_f64)).count();
    assert_eq!((with("sharpness"), with("mfu")), (with("val_loss"), 10));
    let scales = runs::rows(&folder.join("run/scales.jsonl"));
    assert!(scales.iter().all(|row| row["effective_decay"].as_f64().unwrap() > 0.0));
}
