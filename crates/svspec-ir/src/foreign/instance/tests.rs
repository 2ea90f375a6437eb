//! Layouts written out entry by entry, and there and back.

use super::*;
use crate::ParamId;
use crate::foreign::Heads;

fn instance(
    rows: &[usize],
    columns: Option<usize>,
    slices: Option<usize>,
    layout: Layout,
) -> ForeignInstance {
    let views: Vec<View> = rows.iter().map(|&rows| View { slices, rows, columns }).collect();
    let piece = |index| Piece { instance: Instance { param: ParamId(index), layer: None }, slice: None };
    ForeignInstance {
        name: String::new(),
        shape: shape(&views, layout, None),
        pieces: (0..rows.len()).map(piece).collect(),
        layout,
        matrices: slices.unwrap_or(1),
        rows: rows.to_vec(),
        columns: columns.unwrap_or(1),
    }
}

fn layout(num_blocks: usize, skipped_rows: usize, orientation: Orientation) -> Layout {
    Layout { num_blocks, skipped_rows, orientation, heads: Heads::Together }
}

#[test]
fn stacked_rows_follow_one_another() {
    let stacked = instance(&[2, 1], Some(2), None, layout(1, 0, Orientation::OutIn));
    assert_eq!(stacked.shape, [3, 2]);
    assert_eq!(stacked.split(&[0, 1, 2, 3, 4, 5]), Some(vec![vec![0, 1, 2, 3], vec![4, 5]]));
}

/// `Conv1D` of three outputs of two inputs, the first two the first member's: `[[0, 1, 2], [3, 4, 5]]`.
#[test]
fn transposed_tensors_are_turned_over_before_they_are_cut() {
    let conv = instance(&[2, 1], Some(2), None, layout(1, 0, Orientation::InOut));
    assert_eq!(conv.shape, [2, 3]);
    assert_eq!(conv.split(&[0, 1, 2, 3, 4, 5]), Some(vec![vec![0, 3, 1, 4], vec![2, 5]]));
}

/// Two groups of two queries, one key and one value.
#[test]
fn interleaved_members_take_turns() {
    let groups = instance(&[4, 2, 2], None, None, layout(2, 0, Orientation::OutIn));
    let split = groups.split(&[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(split, Some(vec![vec![0, 1, 4, 5], vec![2, 6], vec![3, 7]]));
}

/// Two experts whose gate and up alternate, stored inputs by outputs.
#[test]
fn each_expert_has_a_matrix_of_the_layout() {
    let experts = instance(&[2, 2], Some(1), Some(2), layout(2, 0, Orientation::InOut));
    assert_eq!(experts.shape, [2, 1, 4]);
    let split = experts.split(&[0, 1, 2, 3, 10, 11, 12, 13]);
    assert_eq!(split, Some(vec![vec![0, 2, 10, 12], vec![1, 3, 11, 13]]));
}

#[test]
fn skipped_rows_are_not_read_and_written_as_zeros() {
    let table = instance(&[2], Some(2), None, layout(1, 1, Orientation::OutIn));
    assert_eq!(table.shape, [3, 2]);
    assert_eq!(table.split(&[9, 9, 1, 2, 3, 4]), Some(vec![vec![1, 2, 3, 4]]));
    assert_eq!(table.join(&[vec![1, 2, 3, 4]], 0), Some(vec![0, 0, 1, 2, 3, 4]));
}

#[test]
fn joining_what_was_split_gives_it_back() {
    for orientation in [Orientation::OutIn, Orientation::InOut] {
        for num_blocks in [1, 2] {
            let one = instance(&[4, 2, 6], Some(3), Some(2), layout(num_blocks, 0, orientation));
            let values: Vec<usize> = (0..one.shape.iter().product()).collect();
            let pieces = one.split(&values).expect("as many as the shape says");
            assert_ne!(pieces.concat(), values, "else the layout would not matter");
            assert_eq!(one.join(&pieces, 0), Some(values));
        }
    }
}

#[test]
fn too_few_values_are_none() {
    let one = instance(&[2], Some(2), None, Layout::PLAIN);
    assert_eq!(one.split(&[1, 2, 3]), None);
    assert_eq!(one.join(&[vec![1, 2, 3]], 0), None);
}
