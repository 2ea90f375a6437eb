//! What was found wrong with a run: in words, and as a row of `health.jsonl`.

use crate::spec::{Health, Remedy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::{self, Display, Formatter};

/// So many tensors are named at most.
const MOST_NAMES: usize = 8;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The step, counted from 1.
    pub step: u64,
    /// What it is.
    pub kind: Kind,
    /// What is done about it.
    pub remedy: Remedy,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The loss is no finite number.
    Loss(f64),
    /// The gradients of these tensors are not finite.
    Gradients(Vec<String>),
    /// The loss is far above those before it.
    Spike {
        /// It.
        loss: f64,
        /// Above which it is a spike.
        limit: f64,
        /// The tensor with the largest gradient, and its norm.
        tensor: String,
        /// See there.
        grad_norm: f64,
    },
    /// So many steps in a row were passed over.
    Skips(u64),
    /// No gradient has reached a scale vector since the losses were last looked at.
    Unreached(String),
    /// A scale vector lets nothing through.
    Vanished {
        /// It.
        tensor: String,
        /// Its largest entry, without the sign.
        largest: f64,
        /// What its entries began with.
        first: f64,
    },
}

/// A return to an earlier step: the batches of the steps in between are not read again. Also its row of `health.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollBack {
    /// The steps that had been taken at the checkpoint.
    #[serde(rename = "step")]
    pub to: u64,
    /// The step at fault.
    pub at: u64,
    /// The fault's own row, but for the step.
    #[serde(flatten)]
    pub fault: Map<String, Value>,
}

impl RollBack {
    /// To the checkpoint of step `to`, because of `fault`.
    pub fn new(to: u64, fault: &Fault) -> Self {
        let mut row = match serde_json::to_value(fault) {
            Ok(Value::Object(row)) => row,
            Ok(_) | Err(_) => Map::new(),
        };
        row.remove("step");
        Self { to, at: fault.step, fault: row }
    }
}

/// A row of `health.jsonl`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    step: u64,
    fault: &'static str,
    remedy: &'static str,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    tensors: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_norm: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    largest: Option<f64>,
}

impl Fault {
    /// What is wrong with step `step`, if anything: with its loss; with the gradients of the tensors `names`, by their `norms`; or, with a
    /// `limit` that it is above, because it is a spike.
    pub fn of_step(
        health: &Health,
        step: u64,
        loss: f64,
        limit: Option<f64>,
        norms: &[f64],
        names: &[String],
    ) -> Option<Self> {
        let named = || names.iter().zip(norms);
        if !loss.is_finite() {
            return Some(Self { step, kind: Kind::Loss(loss), remedy: health.on_non_finite });
        }
        let odd: Vec<String> =
            named().filter(|(_, norm)| !norm.is_finite()).map(|(name, _)| name.clone()).collect();
        if !odd.is_empty() {
            return Some(Self { step, kind: Kind::Gradients(odd), remedy: health.on_non_finite });
        }
        let limit = limit?;
        let (tensor, grad_norm) = named().max_by(|a, b| a.1.total_cmp(b.1))?;
        let kind = Kind::Spike { loss, limit, tensor: tensor.clone(), grad_norm: *grad_norm };
        Some(Self { step, kind, remedy: health.on_spike.remedy })
    }

    /// Whether its step was not taken.
    pub fn is_passed_over(&self) -> bool {
        self.kind.is_of_step() && self.remedy != Remedy::Log
    }
}

impl Kind {
    /// Whether it is one step that is at fault.
    fn is_of_step(&self) -> bool {
        match self {
            Self::Loss(_) | Self::Gradients(_) | Self::Spike { .. } => true,
            Self::Skips(_) | Self::Unreached(_) | Self::Vanished { .. } => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Loss(_) => "non_finite_loss",
            Self::Gradients(_) => "non_finite_gradient",
            Self::Spike { .. } => "loss_spike",
            Self::Skips(_) => "skips",
            Self::Unreached(_) => "scale_without_gradient",
            Self::Vanished { .. } => "vanished_scale",
        }
    }

    fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Loss(_) | Self::Skips(_) => Vec::new(),
            Self::Gradients(names) => names.iter().take(MOST_NAMES).map(String::as_str).collect(),
            Self::Spike { tensor, .. } | Self::Unreached(tensor) | Self::Vanished { tensor, .. } => {
                vec![tensor]
            }
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tensors = self.kind.tensors();
        let mut row = Row {
            step: self.step,
            fault: self.kind.name(),
            remedy: self.remedy.name(),
            tensors: &tensors,
            loss: None,
            limit: None,
            grad_norm: None,
            largest: None,
        };
        match &self.kind {
            // JSON has no such numbers.
            Kind::Loss(_) | Kind::Gradients(_) | Kind::Skips(_) | Kind::Unreached(_) => {}
            Kind::Spike { loss, limit, grad_norm, .. } => {
                (row.loss, row.limit, row.grad_norm) = (Some(*loss), Some(*limit), Some(*grad_norm));
            }
            Kind::Vanished { largest, .. } => row.largest = Some(*largest),
        }
        row.serialize(serializer)
    }
}

impl Fault {
    /// What a user may do about it.
    pub fn cure(&self) -> &'static str {
        match &self.kind {
            Kind::Loss(_) | Kind::Gradients(_) | Kind::Spike { .. } => {
                "lower lr, warm up for longer, or let the spec skip such steps"
            }
            Kind::Skips(_) => "lower lr, or warm up for longer",
            Kind::Unreached(_) | Kind::Vanished { .. } => {
                "look at what reads it, and at its decay, or write on_dead_scale = log"
            }
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Loss(loss) => write!(f, "the loss is {loss}"),
            Kind::Gradients(names) => {
                let first = names.first().map_or("", String::as_str);
                write!(f, "the gradient of `{first}` is not finite")?;
                match names.len() {
                    0 | 1 => Ok(()),
                    more => write!(f, ", nor are those of {} more", more - 1),
                }
            }
            Kind::Spike { loss, limit, tensor, grad_norm } => write!(
                f,
                "the loss is {loss:.4}, and above {limit:.4} a spike; the largest gradient is that of `{tensor}`, {grad_norm:.3}"
            ),
            Kind::Skips(count) => write!(f, "{count} steps in a row were passed over"),
            Kind::Unreached(tensor) => write!(f, "no gradient reaches `{tensor}`"),
            Kind::Vanished { tensor, largest, first } => {
                write!(
                    f,
                    "`{tensor}` lets nothing through: no entry is above {largest:.1e}, and it began with {first}"
                )
            }
        }
    }
}

impl Fault {
    /// What is said when it is found: "step 12: the loss is NaN; the step is passed over"
    pub fn news(&self) -> String {
        let done = match (self.remedy, self.kind.is_of_step()) {
            (Remedy::Log, _) => "",
            (Remedy::Skip, _) => "; the step is passed over",
            (Remedy::Stop, true) => "; the run stops before it",
            (Remedy::Stop, false) => "; the run stops",
            (Remedy::RollBack, _) => "; the run goes back to its checkpoint",
        };
        format!("step {}: {self}{done}", self.step)
    }
}
