//! Bytes taken and given back, by what they hold; and what was held when it was most.

/// Bytes, by what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The weights.
    pub weights: u128,
    /// Their gradients.
    pub gradients: u128,
    /// What the optimizer remembers.
    pub optimizer: u128,
    /// Copies of weights that the step multiplies with.
    pub weight_copies: u128,
    /// What the backward pass needs.
    pub activations: u128,
    /// Logits, what the loss makes of them, and their gradients.
    pub logits: u128,
    /// Results that are on their way, and what operators take besides.
    pub working: u128,
}

/// What bytes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Weights,
    Gradients,
    Optimizer,
    WeightCopies,
    Activations,
    Logits,
    Working,
}

impl Held {
    /// All of them.
    pub fn total(&self) -> u128 {
        let Self { weights, gradients, optimizer, weight_copies, activations, logits, working } = self;
        weights + gradients + optimizer + weight_copies + activations + logits + working
    }

    fn of(&mut self, purpose: Purpose) -> &mut u128 {
        match purpose {
            Purpose::Weights => &mut self.weights,
            Purpose::Gradients => &mut self.gradients,
            Purpose::Optimizer => &mut self.optimizer,
            Purpose::WeightCopies => &mut self.weight_copies,
            Purpose::Activations => &mut self.activations,
            Purpose::Logits => &mut self.logits,
            Purpose::Working => &mut self.working,
        }
    }
}

/// What is held now, and what was held when it was most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ledger {
    now: Held,
    most: Held,
}

impl Ledger {
    /// Takes `bytes`.
    pub fn take(&mut self, purpose: Purpose, bytes: u128) {
        *self.now.of(purpose) += bytes;
        if self.now.total() > self.most.total() {
            self.most = self.now;
        }
    }

    /// Gives `bytes` back that were taken for the same purpose.
    pub fn give(&mut self, purpose: Purpose, bytes: u128) {
        let held = self.now.of(purpose);
        *held = held.saturating_sub(bytes);
    }

    /// Takes `bytes` and gives them back at once.
    pub fn pass(&mut self, purpose: Purpose, bytes: u128) {
        self.take(purpose, bytes);
        self.give(purpose, bytes);
    }

    /// Says that bytes now serve another purpose.
    pub fn turn(&mut self, from: Purpose, to: Purpose, bytes: u128) {
        self.give(from, bytes);
        self.take(to, bytes);
    }

    /// What is held now.
    pub fn now(&self) -> Held {
        self.now
    }

    /// What was held when it was most.
    pub fn most(&self) -> Held {
        self.most
    }
}
