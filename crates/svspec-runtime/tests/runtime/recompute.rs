//! A layer that keeps its input alone: the bits of one that keeps everything, and errors that say what failed.

use super::operations::waves;
use super::runs::turn;
use svspec_runtime::nn::{self, Keeps, Stacked};
use svspec_runtime::params::Params;
use svspec_runtime::precision;
use svspec_runtime::spec::{Init, Layers, ParamRow, Precision, Spec};
use tch::{Device, Kind, Tensor};

const WIDTH: i64 = 8;
const NUM_LAYERS: usize = 11;

const fn row(path: &'static str, shape: &'static [i64]) -> ParamRow {
    ParamRow { path, layers: Layers::Range(0, NUM_LAYERS), shape, group: 0, init: Init::Normal(0.4) }
}

const SPEC: Spec = Spec {
    name: "stack",
    hash: "",
    vocab: 256,
    context: 8,
    num_layers: NUM_LAYERS,
    document_end: None,
    params: &[
        row("scale", &[WIDTH]),
        row("qkv", &[3 * WIDTH, WIDTH]),
        row("o", &[WIDTH, WIDTH]),
        row("shared", &[WIDTH, WIDTH]),
    ],
    groups: &[],
    matrices: &[],
    units: &[],
    scales: &[],
    training: <super::tiny::Tiny as super::hand::Size>::TRAINING,
    flops_per_token: 0.0,
};

struct Layer {
    scale: Tensor,
    qkv: Tensor,
    o: Tensor,
    shared: Tensor,
}

impl Layer {
    fn forward(&self, x_btd: &Tensor, rope: &nn::Rope) -> Tensor {
        let normed = nn::rms_norm(x_btd, 1, 1e-5) * &self.scale;
        let heads = |x: &Tensor| x.unflatten(-1, [2, WIDTH / 2]);
        let [q, k, v] = nn::split(&nn::linear(&normed, &self.qkv), [WIDTH; 3]);
        let (q, k) = (nn::rope(&heads(&q), rope), nn::rope(&heads(&k), rope));
        let context = nn::attention(&q, &k, &heads(&v), 0.5, Some(3), None);
        let x = x_btd + nn::linear(&context.flatten(2, 3), &self.o);
        // Read twice: its gradient is a sum.
        nn::linear(&nn::gelu(&nn::linear(&x, &self.shared)), &self.shared) + x
    }
}

fn stack(params: &Params, keeps: impl Fn(usize) -> Keeps) -> Vec<Stacked<Layer>> {
    let layer = |index: usize| {
        let params = params.layer(index);
        let get = |path: &str| params.get(path);
        let layer = Layer { scale: get("scale"), qkv: get("qkv"), o: get("o"), shared: get("shared") };
        Stacked::new(layer, &params, keeps(index))
    };
    (0..NUM_LAYERS).map(layer).collect()
}

/// The loss, and the gradients of the input and of every parameter.
fn loss_and_gradients(precision: Precision, keeps: impl Fn(usize) -> Keeps) -> Vec<Tensor> {
    let _turn = turn();
    let params = Params::init(&SPEC, 3, Device::Cpu);
    let layers = stack(&params, keeps);
    let x = waves(&[2, 8, WIDTH], 0.0).to_kind(Kind::Float).set_requires_grad(true);
    let loss = precision::run(precision, Device::Cpu, || {
        let rope = nn::rope_table(8, WIDTH / 2, 100.0, Kind::Float, Device::Cpu);
        let mut stream = x.shallow_clone();
        for layer in &layers {
            stream = layer.forward(&stream, [&rope], |layer, x_btd, [rope]| layer.forward(x_btd, rope));
        }
        stream.square().mean(None::<Kind>)
    });
    let loss = loss.unwrap();
    // What was lent to the closures may go before the backward pass.
    drop(layers);
    let mut leaves = vec![&x];
    leaves.extend(params.iter().map(|param| &param.tensor));
    let gradients = Tensor::run_backward(&[&loss], &leaves, false, false);
    std::iter::once(loss.detach()).chain(gradients).collect()
}

#[test]
fn recomputed_layers_have_the_bits_of_kept_ones() {
    for precision in [Precision::F32, Precision::Bf16] {
        let kept = loss_and_gradients(precision, |_| Keeps::Values);
        assert_eq!(kept.len(), 2 + 4 * NUM_LAYERS);
        assert!(kept.iter().all(|gradient| gradient.abs().max().double_value(&[]) > 0.0));
        for num_recomputed in [NUM_LAYERS, 4] {
            let keeps = |index| if index < num_recomputed { Keeps::Input } else { Keeps::Values };
            let recomputed = loss_and_gradients(precision, keeps);
            for (index, (found, expected)) in recomputed.iter().zip(&kept).enumerate() {
                assert!(found.equal(expected), "{precision:?}, {num_recomputed} layers, tensor {index}");
            }
        }
    }
}

#[test]
fn without_gradients_a_recomputed_layer_is_the_layer() {
    let _turn = turn();
    let params = Params::init(&SPEC, 3, Device::Cpu);
    let x = waves(&[2, 8, WIDTH], 0.0).to_kind(Kind::Float);
    let of = |keeps: Keeps| {
        let layers = stack(&params, |_| keeps);
        let rope = nn::rope_table(8, WIDTH / 2, 100.0, Kind::Float, Device::Cpu);
        tch::no_grad(|| layers[0].forward(&x, [&rope], |layer, x_btd, [rope]| layer.forward(x_btd, rope)))
    };
    let recomputed = of(Keeps::Input);
    assert!(recomputed.equal(&of(Keeps::Values)));
    assert!(!recomputed.requires_grad());
}

/// What LibTorch says of a failing layer arrives, in the forward pass and in the backward pass, where C++ stands between.
#[test]
fn a_failure_says_what_failed() {
    let _turn = turn();
    let params = Params::init(&SPEC, 3, Device::Cpu);
    let x = waves(&[2, 8, WIDTH], 0.0).to_kind(Kind::Float).set_requires_grad(true);
    let layers = stack(&params, |_| Keeps::Input);
    let message = |body: &dyn Fn()| {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_err();
        caught.downcast_ref::<String>().unwrap().clone()
    };
    let forward = message(&|| {
        let _ = layers[0].forward(&x, (), |layer, x_btd, ()| nn::linear(x_btd, &layer.qkv.transpose(0, 1)));
    });
    assert!(forward.contains("mat1 and mat2 shapes cannot be multiplied"), "{forward}");
    let backward = message(&|| {
        let y = layers[0].forward(&x, (), |_, x_btd, ()| {
            assert!(!records_operations(), "not a second time");
            x_btd * 2.0
        });
        let _ = Tensor::run_backward(&[&y.sum(Kind::Float)], &[&x], false, false);
    });
    assert!(backward.contains("not a second time"), "{backward}");
}

/// Whether operations are recorded here and now.
fn records_operations() -> bool {
    (Tensor::from(1.0_f32).set_requires_grad(true) * 1.0).requires_grad()
}
