//! Scaled and stacked weights and their derivatives against LibTorch's own operations, in the layouts, types and thread counts that
//! training has.

use crate::operations::{largest_error, waves};
use svspec_runtime::nn::{self, Weight};
use svspec_runtime::precision;
use svspec_runtime::spec::Precision;
use tch::{Device, Kind, Tensor};

/// One weight of a stack: its output and its input dimensions, and the sizes of the vectors on its rows and columns.
struct Part {
    out: &'static [i64],
    input: &'static [i64],
    row: Option<&'static [i64]>,
    column: Option<&'static [i64]>,
}

/// Stacks as models have them: vectors on either side, on both and on none, of a head for all heads, a single number, shapes with
/// ones in them, rows that no register divides, many rows, and one row.
fn stacks() -> Vec<(&'static str, Vec<Part>)> {
    let part = |out, input, row, column| Part { out, input, row, column };
    vec![
        ("a plain one", vec![part(&[5], &[7], None, None)]),
        ("columns", vec![part(&[6], &[9], None, Some(&[9]))]),
        ("rows", vec![part(&[6], &[9], Some(&[6]), None)]),
        ("a number on the rows", vec![part(&[6], &[8], Some(&[]), None)]),
        ("from heads", vec![part(&[5], &[3, 4], None, Some(&[4]))]),
        ("from heads, one factor each", vec![part(&[5], &[3, 4], Some(&[5]), Some(&[3, 1]))]),
        ("to heads", vec![part(&[3, 4], &[7], Some(&[4]), Some(&[7]))]),
        (
            "q, k and v",
            vec![
                part(&[4, 8], &[33], None, Some(&[33])),
                part(&[2, 8], &[33], Some(&[8]), Some(&[33])),
                part(&[2, 8], &[33], None, None),
            ],
        ),
        (
            "gate and up",
            vec![part(&[700], &[128], None, Some(&[128])), part(&[700], &[128], Some(&[700]), None)],
        ),
        ("one row", vec![part(&[1], &[3], Some(&[1]), Some(&[3]))]),
    ]
}

/// The tensors of a stack: of each part the weight and its vectors, each a leaf.
fn leaves(parts: &[Part], kind: Kind) -> Vec<[Option<Tensor>; 3]> {
    let leaf = |sizes: &[i64], offset: f64| waves(sizes, offset).to_kind(kind).set_requires_grad(true);
    let of = |(index, part): (usize, &Part)| {
        let offset = index as f64;
        let weight = leaf(&[part.out, part.input].concat(), offset);
        let row = part.row.map(|sizes| leaf(sizes, offset + 0.3));
        [Some(weight), row, part.column.map(|sizes| leaf(sizes, offset + 0.6))]
    };
    parts.iter().enumerate().map(of).collect()
}

/// What `stack` makes of the tensors and the derivatives by them, of the product with fixed numbers that are exact in bf16.
fn value_and_derivatives(
    leaves: &[[Option<Tensor>; 3]],
    stack: impl Fn() -> Tensor,
) -> (Tensor, Vec<Tensor>) {
    let scaled = stack();
    let numbers = waves(&scaled.size(), 0.9).to_kind(Kind::BFloat16).to_kind(scaled.kind());
    (&scaled * numbers).sum(scaled.kind()).backward();
    let gradients = leaves.iter().flatten().flatten().map(|leaf| leaf.grad().copy());
    (scaled.detach(), gradients.collect())
}

/// In one stack, which is the same bit for bit as one by one.
fn ours(parts: &[Part], leaves: &[[Option<Tensor>; 3]]) -> Tensor {
    let mut weights = Vec::new();
    for (part, [weight, row, column]) in parts.iter().zip(leaves) {
        let weight = Weight::new(weight.as_ref().unwrap(), part.input.len());
        let weight = row.iter().fold(weight, Weight::rows);
        weights.push(column.iter().fold(weight, Weight::columns));
    }
    let one_by_one: Vec<Tensor> = weights.iter().map(|weight| weight.scaled()).collect();
    let stacked = nn::weights(&weights);
    assert!(stacked.equal(&Tensor::cat(&one_by_one, 0)));
    stacked
}

/// LibTorch's own products and concatenation.
fn theirs(parts: &[Part], leaves: &[[Option<Tensor>; 3]]) -> Tensor {
    let of = |(part, [weight, row, column]): (&Part, &[Option<Tensor>; 3])| {
        let weight = weight.as_ref().unwrap();
        let scaled = column.as_ref().map_or_else(|| weight.shallow_clone(), |column| weight * column);
        let above_columns = |row: &Tensor| row.reshape([row.size(), vec![1; part.input.len()]].concat());
        let weight = row.as_ref().map_or_else(|| scaled.shallow_clone(), |row| &scaled * above_columns(row));
        weight.reshape([part.out.iter().product::<i64>(), part.input.iter().product()])
    };
    Tensor::cat(&parts.iter().zip(leaves).map(of).collect::<Vec<_>>(), 0)
}

#[test]
fn values_and_derivatives_are_those_of_products_written_out() {
    for (name, parts) in stacks() {
        let exact = leaves(&parts, Kind::Double);
        let (expected, expected_gradients) = value_and_derivatives(&exact, || theirs(&parts, &exact));
        for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 1e-5)] {
            let leaves = leaves(&parts, kind);
            let (scaled, gradients) = value_and_derivatives(&leaves, || ours(&parts, &leaves));
            assert_eq!(scaled.kind(), kind);
            assert_eq!(gradients.len(), expected_gradients.len());
            let found = std::iter::once(&scaled).chain(&gradients);
            for (found, expected) in found.zip(std::iter::once(&expected).chain(&expected_gradients)) {
                assert_eq!(found.kind(), kind);
                // A sum over a row or a column is as exact as the largest of what is summed.
                let error = largest_error(found, expected);
                let scale = expected.abs().max().double_value(&[]).max(1.0);
                assert!(error < tolerance * scale, "{name}, {kind:?}: off by {error:e} of {scale}");
            }
        }
    }
}

/// Under autocast the stack is bf16, each entry rounded once, and so is its gradient; those of the tensors are of their kinds.
#[test]
fn for_products_in_bf16_each_entry_is_rounded_once() {
    for (name, parts) in stacks() {
        for kind in [Kind::Float, Kind::BFloat16] {
            let leaves = leaves(&parts, kind);
            let run = || value_and_derivatives(&leaves, || ours(&parts, &leaves));
            let (scaled, gradients) = precision::run(Precision::Bf16, Device::Cpu, run).unwrap();
            assert_eq!(scaled.kind(), Kind::BFloat16);
            // The same numbers, whatever they lie in memory as.
            let wide: Vec<[Option<Tensor>; 3]> = leaves
                .iter()
                .map(|leaves| {
                    let widened = |leaf: &Tensor| leaf.detach().to_kind(Kind::Double).set_requires_grad(true);
                    leaves.each_ref().map(|leaf| leaf.as_ref().map(widened))
                })
                .collect();
            let (expected, expected_gradients) = value_and_derivatives(&wide, || theirs(&parts, &wide));
            // Half of what the last of eight bits is worth, and what two roundings in f32 are beside it.
            let bound = expected.abs() * (1.0 / 256.0 + 1e-6);
            let error = (scaled.to_kind(Kind::Double) - &expected).abs();
            assert!(error.le_tensor(&bound).all().int64_value(&[]) == 1, "{name}, {kind:?}");
            for (found, expected) in gradients.iter().zip(&expected_gradients) {
                assert_eq!(found.kind(), kind);
                // In f32 as exact as above; in bf16 rounded once.
                let rounding = if kind == Kind::Float { 1e-5 } else { 1.0 / 256.0 };
                let error = largest_error(found, expected);
                let scale = expected.abs().max().double_value(&[]).max(1.0);
                assert!(error < rounding * scale, "{name}, {kind:?}: off by {error:e} of {scale}");
            }
        }
    }
}

#[test]
fn a_vector_for_two_weights_has_the_sum_of_both_derivatives() {
    let (weight, gamma) = (waves(&[4, 6], 0.2), waves(&[6], 0.5));
    let leaf = gamma.copy().set_requires_grad(true);
    nn::weights(&[Weight::new(&weight, 1).columns(&leaf), Weight::new(&(&weight * 2.0), 1).columns(&leaf)])
        .sum(Kind::Double)
        .backward();
    let expected = weight.sum_dim_intlist(0, false, Kind::Double) * 3.0;
    assert!(largest_error(&leaf.grad(), &expected) < 1e-12);
}

#[test]
#[should_panic(expected = "no weights")]
fn none_are_refused() {
    let _ = nn::weights(&[]);
}

#[test]
#[should_panic(expected = "weight 1 is no matrix like the first")]
fn weights_of_different_inputs_are_refused() {
    let _ = nn::weights(&[Weight::new(&waves(&[2, 3], 0.0), 1), Weight::new(&waves(&[2, 4], 0.0), 1)]);
}
