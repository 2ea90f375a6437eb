//! What collectives carry in, what a process sends out.

use std::ops::AddAssign;

/// Bytes of the tensors that collectives of one kind were called with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Summed over all processes, for all of them.
    pub all_reduced: u64,
    /// Summed over all processes, for one of them.
    pub reduced: u64,
    /// Sent by one process to all others.
    pub broadcast: u64,
}

impl Traffic {
    /// The bytes that each of `world` processes sends, on average. To sum over a ring, each sends `world − 1` of `world` parts, and as many
    /// again to spread the sums; if one process alone gets them, the others send it a part each. What one process sends to all is passed
    /// on, once for each of the others.
    pub fn sent(self, world: usize) -> u64 {
        let world = world as u64;
        let of_ring = self.reduced * (world + 1) / world;
        (2 * self.all_reduced + of_ring + self.broadcast) * (world - 1) / world
    }

    /// How [`Self::sent`] comes about, in words.
    pub fn formula(self, world: usize) -> String {
        let Self { all_reduced, reduced, broadcast } = self;
        let others = world - 1;
        let mut terms = vec![format!("2 x {others}/{world} of {all_reduced} summed for all")];
        if reduced > 0 {
            terms.push(format!("{others}/{world} x {}/{world} of {reduced} summed for one", world + 1));
        }
        if broadcast > 0 {
            terms.push(format!("{others}/{world} of {broadcast} sent to all"));
        }
        terms.join(", ")
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.all_reduced += other.all_reduced;
        self.reduced += other.reduced;
        self.broadcast += other.broadcast;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_sends_what_a_ring_needs() {
        let traffic = Traffic { all_reduced: 1000, ..Traffic::default() };
        // Of two processes, each sends half to be summed, and the half that it has summed.
        assert_eq!(traffic.sent(2), 1000);
        assert_eq!(traffic.sent(4), 1500);
        assert_eq!(traffic.sent(1), 0);
        assert_eq!(Traffic { broadcast: 1000, ..Traffic::default() }.sent(4), 750);
        // Half to be summed, and one of the two sends the other its half.
        assert_eq!(Traffic { reduced: 1000, ..Traffic::default() }.sent(2), 750);
    }
}
