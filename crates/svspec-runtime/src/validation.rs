//! A model and what is held out of its training in, the losses there out.

use crate::batch::{self, Batch};
use crate::corpus::Stream;
use crate::dist::Place;
use crate::model::Model;
use crate::precision;
use crate::run::RunError;
use crate::train::Plan;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use tch::{Kind, Tensor};

/// Tokens in the validation windows.
const NUM_VALIDATION_TOKENS: usize = 32_768;

/// Losses on validation windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Validation {
    /// Of what is held out of the training data.
    pub loss: f64,
    /// Of each set that is named besides.
    pub losses: BTreeMap<String, f64>,
}

impl Display for Validation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.loss)?;
        self.losses.iter().try_for_each(|(name, loss)| write!(f, ", {name} {loss:.4}"))
    }
}

/// The mean losses over the validation windows, in the precision of training: of several sources in their shares.
pub fn validate<M: Model>(model: &M, plan: &Plan) -> Result<Validation, RunError> {
    let mut validation = Validation::default();
    for source in &plan.corpus.sources {
        validation.loss += source.share * mean_loss(model, plan, &source.val)?;
    }
    for set in &plan.held_out {
        validation.losses.insert(set.name().to_owned(), mean_loss(model, plan, set.tokens())?);
    }
    Ok(validation)
}

/// Processes take turns with the micro-batches; the losses are added in the order of the windows, however many processes there are.
fn mean_loss<M: Model>(model: &M, plan: &Plan, tokens: &Stream) -> Result<f64, RunError> {
    let training = &plan.training;
    let context = M::SPEC.context as usize;
    let starts = batch::validation_starts(tokens.len(), context, NUM_VALIDATION_TOKENS);
    let micro_batches: Vec<&[usize]> = starts.chunks(training.micro_batch.max(1) as usize).collect();
    let losses = Tensor::zeros([micro_batches.len() as i64], (Kind::Double, plan.device));
    let Place { rank, world, .. } = *plan.team.place();
    for (index, starts) in micro_batches.iter().enumerate().skip(rank).step_by(world) {
        let mut windows = Vec::with_capacity(starts.len() * (context + 1));
        for &start in *starts {
            tokens.extend(start, context + 1, &mut windows);
        }
        let Batch { tokens_bt, targets_bt } = batch::batch(&windows, context, plan.device);
        let loss = tch::no_grad(|| {
            precision::run(training.precision, plan.device, || model.loss(&tokens_bt, &targets_bt))
        })?;
        losses.get(index as i64).copy_(&(loss.to_kind(Kind::Double) * starts.len() as f64));
    }
    let losses = Vec::<f64>::try_from(plan.team.sum(&losses)?).unwrap_or_default();
    Ok(losses.iter().sum::<f64>() / starts.len() as f64)
}
