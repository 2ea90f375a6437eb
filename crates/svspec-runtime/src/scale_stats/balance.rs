//! A scale vector in, the size of what it multiplies in the weights into which it folds out.

use crate::params::Params;
use crate::spec::{Absorber, Entries, ScaleRow, Side, instance_name};
use tch::{Kind, Tensor};

/// For each entry of γ, which is f64 `[n]`, the sum of the squares of all that it multiplies, f64 `[n]`. A weight that takes γ twice is
/// counted twice.
pub fn weight_squares(params: &Params, row: &ScaleRow, layer: Option<usize>, gamma: &Tensor) -> Tensor {
    let mut sums = gamma.zeros_like();
    for absorber in row.absorbers {
        let squares = channel_squares(&params.get(&instance_name(absorber.path, layer)), absorber);
        match absorber.entries {
            Entries::Each => sums += squares,
            Entries::Blocks(blocks) => {
                let numbers = Tensor::arange(sums.size1().unwrap_or(0), (Kind::Int64, sums.device()));
                for block in blocks {
                    let taken = numbers.as_strided(block.sizes, block.strides, block.entry).reshape(-1);
                    let own = squares.narrow(0, block.channel, taken.size1().unwrap_or(0));
                    let _ = sums.index_add_(0, &taken, &own);
                }
            }
        }
    }
    sums
}

/// The sum of squares of each column, or each row, of all matrices, without a second copy of the weight.
fn channel_squares(weight: &Tensor, absorber: &Absorber) -> Tensor {
    let others = match absorber.side {
        Side::Columns => 1,
        Side::Rows => 2,
    };
    weight
        .reshape(absorber.matrices)
        .norm_scalaropt_dim_dtype(2, [others].as_slice(), false, Kind::Double)
        .square()
        .reshape(-1)
}
