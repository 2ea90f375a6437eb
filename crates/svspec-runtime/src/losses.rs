//! What a model's forward pass is worth in training: the cross-entropy, the losses beside it, and the load of its experts.

use tch::{Kind, Tensor};

/// Of one micro-batch.
#[derive(Debug)]
pub struct Losses {
    /// The mean cross-entropy in nats, a scalar.
    pub cross_entropy: Tensor,
    /// What is minimised with it.
    pub side: Vec<SideLoss>,
    /// Of each layer with a choice that is corrected by its load, in the order of the stack.
    pub loads: Vec<Load>,
}

/// A loss beside the cross-entropy.
#[derive(Debug)]
pub struct SideLoss {
    /// `experts.balance`.
    pub name: &'static str,
    /// What it counts.
    pub coefficient: f64,
    /// Its value, a scalar.
    pub value: Tensor,
}

impl SideLoss {
    /// The loss `name`, whose value is a scalar.
    pub fn new(name: &'static str, coefficient: f64, value: Tensor) -> Self {
        Self { name, coefficient, value }
    }
}

/// How many tokens each expert of a layer got, and what that moves (arXiv 2408.15664).
#[derive(Debug)]
pub struct Load {
    /// What is added to the scores for the choice; the parameter itself.
    pub correction_e: Tensor,
    /// Tokens by expert.
    pub count_e: Tensor,
    /// How far a step moves the correction.
    pub rate: f64,
}

impl Losses {
    /// Those of a model without any but the cross-entropy.
    pub fn plain(cross_entropy: Tensor) -> Self {
        Self { cross_entropy, side: Vec::new(), loads: Vec::new() }
    }

    /// All of what adds up over parts of a batch.
    pub fn parts(&mut self) -> Vec<&mut Tensor> {
        let sides = self.side.iter_mut().map(|side| &mut side.value);
        let loads = self.loads.iter_mut().map(|load| &mut load.count_e);
        std::iter::once(&mut self.cross_entropy).chain(sides).chain(loads).collect()
    }

    /// What a step minimises.
    pub fn total(&self) -> Tensor {
        let total = self.cross_entropy.shallow_clone();
        self.side.iter().fold(total, |total, side| total + &side.value * side.coefficient)
    }

    /// The mean of a batch of `num_micro` micro-batches so far: `self`, of those before, and `next`, without its graph. Loads add up.
    #[must_use]
    pub fn and(self, next: &Self, num_micro: u64) -> Self {
        let share =
            |loss: &Tensor| if num_micro == 1 { loss.detach() } else { loss.detach() / num_micro as f64 };
        let mut side = self.side;
        for (index, of_next) in next.side.iter().enumerate() {
            let value = share(&of_next.value);
            match side.get_mut(index) {
                Some(sum) => sum.value += value,
                None => side.push(SideLoss { value, ..*of_next }),
            }
        }
        let mut loads = self.loads;
        for (index, of_next) in next.loads.iter().enumerate() {
            match loads.get_mut(index) {
                Some(sum) => sum.count_e += &of_next.count_e,
                None => loads.push(Load {
                    correction_e: of_next.correction_e.shallow_clone(),
                    count_e: of_next.count_e.copy(),
                    rate: of_next.rate,
                }),
            }
        }
        Self { cross_entropy: self.cross_entropy + share(&next.cross_entropy), side, loads }
    }
}

impl Load {
    /// Raises the correction of each expert with less than its share of the tokens by `rate`, and lowers it for those with more; unless
    /// the scalar `skip` is 1.
    pub fn correct(&self, skip: &Tensor) {
        let count_e = self.count_e.to_kind(Kind::Double);
        let direction_e = (count_e.mean(None::<Kind>) - count_e).sign().to_kind(self.correction_e.kind());
        tch::no_grad(|| {
            let mut correction_e = self.correction_e.shallow_clone();
            correction_e += direction_e * self.rate * (1.0 - skip);
        });
    }
}
