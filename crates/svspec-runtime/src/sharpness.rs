//! A model and a batch in, the largest eigenvalue of the Hessian of its loss out.
//!
//! Power iteration multiplies a random vector by the Hessian again and again. Lanczos's method takes the largest eigenvalue not
//! of the last of these vectors but of the space of all of them, at the price of two vectors more: it needs fewer products, is not
//! misled by a negative eigenvalue of the same size, as there is one where training begins, and bounds its own error.
//!
//! The Hessian times a vector is a central difference of gradients, which every operation has, those computed in chunks or again
//! included. All of it is done in f64 on a copy of the parameters: the difference is then right to many digits, and the
//! parameters that are trained are never touched.

use crate::model::Model;
use crate::params::Params;
use crate::random;
use crate::spec::Algorithm;
use tch::{Device, Kind, Tensor};

/// At most so many products with the Hessian.
const MAX_PRODUCTS: usize = 100;
/// An eigenvalue of the Hessian is within this share of the result.
const TOLERANCE: f64 = 1e-3;
/// How far apart the gradients are taken from the parameters, as a share of their norm.
const STEP: f64 = 1e-6;

/// The loss as a function of those parameters that gradients move.
#[derive(Debug)]
struct Landscape<'a, M> {
    model: M,
    params: Params,
    /// Those of `params` that gradients move, with their places there.
    moved: Vec<(usize, Tensor)>,
    /// Their values where the loss is looked at.
    centre: Vec<Tensor>,
    step: f64,
    tokens_bt: &'a Tensor,
    targets_bt: &'a Tensor,
}

/// The largest eigenvalue of the Hessian of the mean cross-entropy of `targets_bt`, `[b, t]`, on `device`, where `params` are. `seed`
/// draws the vector that the iteration begins with.
pub fn sharpness<M: Model>(
    params: &Params,
    tokens_bt: &Tensor,
    targets_bt: &Tensor,
    seed: u64,
    device: Device,
) -> f64 {
    let landscape = Landscape::<M>::new(params, tokens_bt, targets_bt, device);
    landscape.largest(landscape.random_direction(seed))
}

impl<'a, M: Model> Landscape<'a, M> {
    fn new(params: &Params, tokens_bt: &'a Tensor, targets_bt: &'a Tensor, device: Device) -> Self {
        let params = params.on(device).in_kind(M::SPEC, Kind::Double);
        let is_moved = |group: usize| {
            M::SPEC.groups.get(group).is_some_and(|row| !matches!(row.algorithm, Algorithm::Load))
        };
        let all = params.iter().enumerate().filter(|(_, param)| is_moved(param.group));
        let moved: Vec<(usize, Tensor)> =
            all.map(|(index, param)| (index, param.tensor.shallow_clone())).collect();
        let centre: Vec<Tensor> = moved.iter().map(|(_, tensor)| tensor.detach().copy()).collect();
        let step = STEP * norm(&centre).max(1.0);
        let model = M::new(&params);
        Self { model, params, moved, centre, step, tokens_bt, targets_bt }
    }

    /// A unit vector that follows from the seed. LibTorch's generator, which is the run's, has no part in it.
    fn random_direction(&self, seed: u64) -> Vec<Tensor> {
        let drawn = self.centre.iter().enumerate().map(|(index, tensor)| {
            let seed = random::at(random::named(seed, "sharpness"), index as u64);
            let entries: Vec<f64> =
                (0..tensor.numel() as u64).map(|entry| random::unit(random::at(seed, entry)) - 0.5).collect();
            Tensor::from_slice(&entries).view(tensor.size().as_slice()).to_device(tensor.device())
        });
        normalized(drawn.collect())
    }

    /// The largest eigenvalue of the Hessian in the space that its powers make of a unit vector.
    fn largest(&self, mut direction: Vec<Tensor>) -> f64 {
        let mut before: Vec<Tensor> = direction.iter().map(Tensor::zeros_like).collect();
        let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
        let mut value = f64::NAN;
        for _ in 0..MAX_PRODUCTS {
            let image = self.image(&direction);
            let own = dot(&direction, &image);
            let last = beside.last().copied().unwrap_or(0.0);
            let images = image.into_iter().zip(&direction).zip(&before);
            let rest: Vec<Tensor> =
                images.map(|((image, direction), before)| image - direction * own - before * last).collect();
            let length = norm(&rest);
            diagonal.push(own);
            if !length.is_finite() {
                return f64::NAN;
            }
            let (found, share) = largest_of_tridiagonal(&diagonal, &beside);
            value = found;
            if length * share <= TOLERANCE * value.abs() {
                break;
            }
            beside.push(length);
            before = std::mem::replace(&mut direction, rest.into_iter().map(|own| own / length).collect());
        }
        value
    }

    /// The Hessian times a unit vector.
    fn image(&self, direction: &[Tensor]) -> Vec<Tensor> {
        let above = self.gradient(direction, self.step);
        let below = self.gradient(direction, -self.step);
        let images = above.into_iter().zip(below);
        images.map(|(above, below)| (above - below) / (2.0 * self.step)).collect()
    }

    /// The gradient at `step` from the centre.
    fn gradient(&self, direction: &[Tensor], step: f64) -> Vec<Tensor> {
        tch::no_grad(|| {
            for (((_, tensor), centre), own) in self.moved.iter().zip(&self.centre).zip(direction) {
                tensor.shallow_clone().copy_(&(centre + own * step));
            }
        });
        let gradients = self.params.gradients(&self.model.loss(self.tokens_bt, self.targets_bt));
        let of_moved = self.moved.iter().filter_map(|(index, _)| gradients.get(*index));
        of_moved.map(Tensor::shallow_clone).collect()
    }
}

/// The largest eigenvalue of a symmetric matrix with that diagonal and those entries beside it, and the size of the last entry of
/// its unit vector.
fn largest_of_tridiagonal(diagonal: &[f64], beside: &[f64]) -> (f64, f64) {
    let beside = Tensor::from_slice(beside);
    let matrix = Tensor::from_slice(diagonal).diag(0) + beside.diag(1) + beside.diag(-1);
    let (values, vectors) = matrix.linalg_eigh("L");
    (values.get(-1).double_value(&[]), vectors.get(-1).get(-1).double_value(&[]).abs())
}

/// The product of two vectors, each a list of tensors.
fn dot(a: &[Tensor], b: &[Tensor]) -> f64 {
    let products: Vec<Tensor> = a.iter().zip(b).map(|(a, b)| (a * b).sum(Kind::Double)).collect();
    if products.is_empty() { 0.0 } else { Tensor::stack(&products, 0).sum(Kind::Double).double_value(&[]) }
}

fn norm(vector: &[Tensor]) -> f64 {
    dot(vector, vector).sqrt()
}

fn normalized(vector: Vec<Tensor>) -> Vec<Tensor> {
    let norm = norm(&vector);
    vector.into_iter().map(|tensor| tensor / norm).collect()
}
