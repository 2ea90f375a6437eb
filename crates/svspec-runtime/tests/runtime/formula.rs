//! 50 steps of each group against the algorithms written out in f64, from their papers.

use crate::runs::turn;
use crate::settings::{SPEC, matrix_shape, tolerance};
use svspec_runtime::schedule::Factors;
use svspec_runtime::spec::{Algorithm, Matrices, Muon, MuonScale};
use svspec_runtime::{Optimizer, Params};
use tch::{Device, Kind, Tensor};

/// What a formula remembers of one tensor.
struct Memory {
    first: Tensor,
    second: Tensor,
}

/// The step `count`, from 1, of a tensor, without decay: what is taken away from it per unit of the rate.
fn update(
    algorithm: Algorithm,
    count: i32,
    gradient: &Tensor,
    memory: &mut Memory,
    matrices: Matrices,
) -> Tensor {
    match algorithm {
        Algorithm::AdamW { betas: (beta1, beta2), eps } => {
            memory.first = &memory.first * beta1 + gradient * (1.0 - beta1);
            memory.second = &memory.second * beta2 + gradient.square() * (1.0 - beta2);
            let corrected = &memory.first / (1.0 - beta1.powi(count));
            corrected / ((&memory.second / (1.0 - beta2.powi(count))).sqrt() + eps)
        }
        Algorithm::Sgd { momentum, nesterov } => {
            memory.first = &memory.first * momentum + gradient;
            if nesterov { gradient + &memory.first * momentum } else { memory.first.copy() }
        }
        Algorithm::Muon(muon) => {
            // The sum rather than the mean: the matrices are normalised anyway.
            memory.first = &memory.first * muon.momentum + gradient;
            let direction =
                if muon.nesterov { gradient + &memory.first * muon.momentum } else { memory.first.copy() };
            orthogonalised(&direction, muon, matrices)
        }
        Algorithm::Load => gradient.zeros_like(),
    }
}

/// Each matrix by itself.
fn orthogonalised(direction: &Tensor, muon: Muon, matrices: Matrices) -> Tensor {
    let [out, num_in] = matrix_shape(&direction.size(), matrices);
    let factor = match muon.scale {
        MuonScale::Rms(rms) => rms * (out.max(num_in) as f64).sqrt(),
        MuonScale::SqrtRatio => (out as f64 / num_in as f64).max(1.0).sqrt(),
    };
    let one = |matrix: &Tensor| {
        let mut x = matrix.reshape([out, num_in]);
        x = &x / x.norm();
        for _ in 0..muon.ns_steps {
            let left = x.matmul(&x.transpose(0, 1));
            let cubic = left.matmul(&x);
            let quintic = left.matmul(&cubic);
            x = x * 3.4445 - cubic * 4.7750 + quintic * 2.0315;
        }
        (x * factor).reshape(matrix.size())
    };
    match matrices.stacked {
        None => one(direction),
        Some(axis) => {
            let parts: Vec<Tensor> = (0..direction.size()[axis as usize])
                .map(|index| one(&direction.select(axis, index).contiguous()))
                .collect();
            Tensor::stack(&parts, axis)
        }
    }
}

#[test]
fn fifty_steps_equal_the_formulas() {
    let _turn = turn();
    tch::manual_seed(7);
    let draw = |shape: &[i64], size: f64| Tensor::randn(shape, (Kind::Double, Device::Cpu)) * size;
    let mut initial = SPEC.params.iter().map(|row| (row.path.to_owned(), draw(row.shape, 0.3))).collect();
    let params = Params::take(&SPEC, &mut initial, Device::Cpu).unwrap();
    let mut optimizer = Optimizer::new(&SPEC, &params);
    let mut weights: Vec<Tensor> = params.iter().map(|param| param.tensor.detach().copy()).collect();
    let zeros = || weights[..].iter().map(Tensor::zeros_like);
    let mut memories: Vec<Memory> =
        zeros().zip(zeros()).map(|(first, second)| Memory { first, second }).collect();
    let mut rates = Vec::new();
    for count in 1..=50 {
        let gradients: Vec<Tensor> =
            params.iter().map(|param| draw(&param.tensor.size(), 0.004 * f64::from(count))).collect();
        let factors = Factors { lr: 1.0 / f64::from(count).sqrt(), decay: 1.0 - 0.01 * f64::from(count) };
        rates.push(factors.lr);
        let is_clipped = |index: usize| SPEC.groups[SPEC.params[index].group].clipped;
        let squares = gradients.iter().enumerate().filter(|(index, _)| is_clipped(*index));
        let norm: f64 = squares
            .map(|(_, gradient)| gradient.square().sum(Kind::Double).double_value(&[]))
            .sum::<f64>()
            .sqrt();
        for (index, param) in params.iter().enumerate() {
            let group = &SPEC.groups[param.group];
            let factor = if group.clipped { (1.0 / (norm + 1e-6)).min(1.0) } else { 1.0 };
            let gradient = &gradients[index] * factor;
            let update = update(group.algorithm, count, &gradient, &mut memories[index], param.matrices);
            let lr = group.lr * factors.lr;
            weights[index] = &weights[index] * (1.0 - lr * group.weight_decay * factors.decay) - update * lr;
        }
        let reported = optimizer.step(&gradients, factors).unwrap().double_value(&[]);
        assert!((reported / norm - 1.0).abs() < 1e-12, "{reported} against {norm}");
    }
    for (param, weight) in params.iter().zip(&weights) {
        let group = &SPEC.groups[param.group];
        let shape = matrix_shape(&param.tensor.size(), param.matrices);
        let tolerance = tolerance(group, shape, &rates, 1e-12);
        let error = (param.tensor.detach() - weight).abs().max().double_value(&[]);
        assert!(error < tolerance, "{} is off by {error:e} of {tolerance:e}", param.name);
    }
}
