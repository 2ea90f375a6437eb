//! Parameters and their owners in, the buckets their gradients are sent in out.

use super::Owners;
use crate::params::Params;

/// Entries after which a bucket is full: enough that a collective is worth its start, few enough that the first ones leave early.
/// 25 MiB, PyTorch's choice.
const FULL: usize = 25 * (1 << 20) / 4;

/// Which bucket each gradient goes to, and who gets each bucket's sum.
#[derive(Debug, PartialEq, Eq)]
pub struct Buckets {
    /// By parameter.
    pub of: Vec<usize>,
    /// By bucket; `None`: all processes.
    pub roots: Vec<Option<usize>>,
}

/// Buckets in the order in which backward finishes gradients: about that of the parameters' table, reversed. One holds gradients of one
/// owner.
pub fn buckets(params: &Params, owners: &Owners) -> Buckets {
    let sizes = params.iter().enumerate().map(|(index, param)| (param.tensor.numel(), owners.of(index)));
    fill(&sizes.collect::<Vec<_>>(), FULL)
}

/// A bucket that is not full yet.
struct Open {
    root: Option<usize>,
    filled: usize,
    members: Vec<usize>,
}

fn fill(sizes: &[(usize, Option<usize>)], full: usize) -> Buckets {
    let (mut open, mut closed): (Vec<Open>, Vec<Open>) = (Vec::new(), Vec::new());
    for (index, &(size, root)) in sizes.iter().enumerate().rev() {
        let found = open.iter().position(|bucket| bucket.root == root);
        let bucket = match found.map(|place| open.remove(place)) {
            Some(bucket) if bucket.filled + size > full => {
                closed.push(bucket);
                None
            }
            bucket => bucket,
        };
        let mut bucket = bucket.unwrap_or(Open { root, filled: 0, members: Vec::new() });
        bucket.filled += size;
        bucket.members.push(index);
        open.push(bucket);
    }
    closed.extend(open);
    // They are sent in this order, and each when its last gradient has come: that with the smallest index.
    closed.sort_by_key(|bucket| std::cmp::Reverse(bucket.members.last().copied()));
    let mut of = vec![0; sizes.len()];
    for (number, bucket) in closed.iter().enumerate() {
        for &member in &bucket.members {
            if let Some(place) = of.get_mut(member) {
                *place = number;
            }
        }
    }
    Buckets { of, roots: closed.iter().map(|bucket| bucket.root).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_fill_from_the_end_and_hold_what_is_larger_than_they_are() {
        let sizes = [50, 3, 4, 3, 1, 9].map(|size| (size, None));
        assert_eq!(fill(&sizes, 10), Buckets { of: vec![2, 1, 1, 1, 0, 0], roots: vec![None; 3] });
    }

    #[test]
    fn a_bucket_has_one_owner_and_leaves_when_its_last_gradient_has_come() {
        let sizes = [(2, Some(0)), (2, Some(1)), (2, Some(1)), (2, Some(0)), (9, Some(0))];
        let Buckets { of, roots } = fill(&sizes, 10);
        assert_eq!(of, [2, 1, 1, 2, 0]);
        assert_eq!(roots, [Some(0), Some(1), Some(0)]);
    }
}
