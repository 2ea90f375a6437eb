//! Parameters in, the process that steps each out: all of them, or, where the optimizer's state is divided, one.

use crate::params::Params;

/// Which process keeps what the optimizer remembers of each parameter (ZeRO, arXiv 1910.02054, its first stage).
#[derive(Clone, Debug)]
pub enum Owners {
    /// Each keeps all of it.
    All,
    /// One keeps it; by parameter.
    One(Vec<usize>),
}

impl Owners {
    /// Each parameter to one of `world` processes, whole, so that any optimizer can step it: the largest first, each to the process that has
    /// least.
    pub fn divided(params: &Params, world: usize) -> Self {
        let sizes: Vec<usize> = params.iter().map(|param| param.tensor.numel()).collect();
        Self::One(divide(&sizes, world))
    }

    /// Who keeps parameter `index`; `None`: everyone.
    pub fn of(&self, index: usize) -> Option<usize> {
        match self {
            Self::All => None,
            Self::One(owners) => owners.get(index).copied(),
        }
    }

    /// Whether process `rank` keeps parameter `index`.
    pub fn holds(&self, rank: usize, index: usize) -> bool {
        self.of(index).is_none_or(|owner| owner == rank)
    }
}

fn divide(sizes: &[usize], world: usize) -> Vec<usize> {
    let mut order: Vec<(usize, usize)> = sizes.iter().copied().enumerate().collect();
    // Stable: of equal sizes, the first in the table first.
    order.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
    let mut loads = vec![0; world];
    let mut owners = vec![0; sizes.len()];
    for (index, size) in order {
        let least = loads.iter_mut().enumerate().min_by_key(|(rank, load)| (**load, *rank));
        if let (Some((rank, load)), Some(owner)) = (least, owners.get_mut(index)) {
            *load += size;
            *owner = rank;
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_even_and_every_tensor_has_one_owner() {
        assert_eq!(divide(&[5, 9, 4, 4, 2], 2), [1, 0, 1, 0, 1]);
        assert_eq!(divide(&[1, 1, 1], 4), [0, 1, 2]);
        // No process has more than an equal share and the largest tensor.
        let sizes: Vec<usize> = (1..50).map(|i| i * i % 97 + 1).collect();
        let owners = divide(&sizes, 4);
        for rank in 0..4 {
            let load: usize =
                sizes.iter().zip(&owners).filter(|(_, owner)| **owner == rank).map(|(size, _)| size).sum();
            assert!(load <= sizes.iter().sum::<usize>() / 4 + 98, "{load}");
        }
    }
}
