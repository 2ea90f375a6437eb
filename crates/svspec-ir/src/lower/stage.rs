//! What is placed at one place: a normalisation, a scale vector, a bias, in this order.

use super::parameters::{NewParam, NewScale};
use super::region::{RegionBuilder, dims_text};
use crate::op::choose::channel_dims;
use crate::op::{Bias, ExpertScale, Normalize, Scale};
use crate::resolve::{Axis, Extent, Part, Place, Stage, StageScale};
use crate::{DefaultInit, Dim, Dims, Op, ParamKind, Site, ValueId};
use svspec_diagnostics::Diagnostic;

impl RegionBuilder<'_, '_> {
    /// Applies what is placed there; `x` itself if nothing is.
    pub fn stage(&mut self, part: &Part, place: Place, site: Site, x: ValueId) -> Option<ValueId> {
        let Some(stage) = part.stages.get(&place) else { return Some(x) };
        let path = match place {
            Place::Own => part.name.clone(),
            Place::In(port) | Place::Out(port) => part.port_path(port),
        };
        let mut y = x;
        if let Some(normalize) = &stage.normalize {
            let num_axes = match normalize.axis {
                Axis::Full => channel_dims(self.dims(x)).len(),
                Axis::Head => self.heads(part, place, stage, x).map(|_| 1)?,
            };
            let op = Op::Normalize(Normalize { norm: normalize.norm, num_axes, eps: normalize.eps.clone() });
            let is_last = stage.scale.is_none() && stage.bias.is_none();
            y = self.same_dims(
                &node_name(&path, place, Step::Normalized, is_last),
                op,
                y,
                &path,
                stage.span,
            )?;
        }
        if let Some(scale) = &stage.scale {
            let scale_path = part.scale_path(place);
            let dims = self.scale_dims(part, place, stage, scale, x)?;
            let (home, region) = (self.home(), self.region);
            let num_vectors = match scale.extent {
                Extent::PerExpert => dims.first().map_or(1, |experts| experts.size),
                Extent::Full | Extent::Head | Extent::PerHead | Extent::Scalar => 1,
            };
            let span = stage.span;
            let new = NewScale { path: &scale_path, site, dims: &dims, num_vectors, placed: scale, span };
            let made = self.lowering.parameters.scale(home, region, new);
            let id = match made {
                Ok(id) => id,
                Err(conflict) => {
                    self.conflict(&scale_path, &dims_text(&dims), &conflict, stage.span);
                    return None;
                }
            };
            let name = node_name(&path, place, Step::Scaled, stage.bias.is_none());
            y = match (scale.extent, self.chosen()) {
                (Extent::PerExpert, Some(chosen)) => {
                    let op = Op::ExpertScale(ExpertScale { scale: id });
                    let dims = self.dims(y).to_vec();
                    self.node(&name, op, vec![y, chosen], dims, &path, stage.span)?
                }
                (_, _) => self.same_dims(&name, Op::Scale(Scale { scale: id }), y, &path, stage.span)?,
            };
        }
        if let Some(span) = stage.bias {
            let dims = self.bias_dims(part, place, stage, x)?;
            let (tensor, name) = match place {
                Place::Own => ("bias", path.replace('.', "_")),
                Place::In(_) => ("in_bias", node_name(&path, place, Step::Shifted, true)),
                Place::Out(_) => ("out_bias", node_name(&path, place, Step::Shifted, true)),
            };
            let param = self.param(NewParam {
                path: format!("{path}.{tensor}"),
                kind: ParamKind::Bias,
                scale_part: None,
                dims,
                num_out_dims: 0,
                init: DefaultInit::constant(0.0),
                span,
            })?;
            y = self.same_dims(&name, Op::Bias(Bias { param }), y, &path, span)?;
        }
        Some(y)
    }

    /// At a port, those of the scale vector beside it, else of what the normalisation runs over; of a norm, all.
    fn bias_dims(&mut self, part: &Part, place: Place, stage: &Stage, x: ValueId) -> Option<Dims> {
        let is_own = place == Place::Own;
        match (&stage.scale, stage.normalize.as_ref().map(|normalize| normalize.axis)) {
            (Some(scale), _) if !is_own => self.scale_dims(part, place, stage, scale, x),
            (None, Some(Axis::Head)) if !is_own => {
                self.heads(part, place, stage, x).map(|(_, head_dim)| vec![head_dim])
            }
            (Some(_) | None, _) => Some(channel_dims(self.dims(x)).to_vec()),
        }
    }

    fn scale_dims(
        &mut self,
        part: &Part,
        place: Place,
        stage: &Stage,
        scale: &StageScale,
        x: ValueId,
    ) -> Option<Dims> {
        match scale.extent {
            Extent::Full => Some(channel_dims(self.dims(x)).to_vec()),
            Extent::Scalar => Some(Vec::new()),
            Extent::Head => self.heads(part, place, stage, x).map(|(_, head_dim)| vec![head_dim]),
            Extent::PerExpert => self.experts(part, place, stage).map(|experts| {
                std::iter::once(experts).chain(channel_dims(self.dims(x)).iter().cloned()).collect()
            }),
            Extent::PerHead => {
                self.heads(part, place, stage, x).map(|(heads, _)| vec![heads, Dim::new("1", 1)])
            }
        }
    }

    /// The dimension of the experts that the part is in.
    fn experts(&mut self, part: &Part, place: Place, stage: &Stage) -> Option<Dim> {
        if let Some(experts) = self.expert_dim() {
            return Some(experts);
        }
        let what = described(part, place);
        self.report(
            Diagnostic::error("placement-on-wrong-kind", format!("{what} is not that of an expert"))
                .at(stage.span, "placed for each expert here")
                .because(part.span, format!("`{}` is declared here", part.name))
                .help("write `scale` without `(per_expert)`"),
        );
        None
    }

    /// The heads and channels per head of a value that has them.
    fn heads(&mut self, part: &Part, place: Place, stage: &Stage, x: ValueId) -> Option<(Dim, Dim)> {
        if let [heads, head_dim] = channel_dims(self.dims(x)) {
            return Some((heads.clone(), head_dim.clone()));
        }
        let dims = dims_text(self.dims(x));
        let what = described(part, place);
        self.report(
            Diagnostic::error("placement-on-wrong-kind", format!("{what} has no heads: it is `{dims}`"))
                .at(stage.span, "placed per head here")
                .because(part.span, format!("`{}` is declared here", part.name))
                .help("write `normalize` and `scale` without `(head)` or `(per_head)`"),
        );
        None
    }
}

/// The value at a place, in words.
fn described(part: &Part, place: Place) -> String {
    match place {
        Place::Own => format!("what `{}` is given", part.name),
        Place::In(port) => format!("the input of `{}`", part.port_path(port)),
        Place::Out(port) => format!("the output of `{}`", part.port_path(port)),
    }
}

#[derive(Clone, Copy)]
enum Step {
    Normalized,
    Scaled,
    Shifted,
}

/// A norm's last step has the norm's name; what stands at a port says which port and which step.
fn node_name(path: &str, place: Place, step: Step, is_last: bool) -> String {
    let path = path.replace('.', "_");
    let step = match step {
        Step::Normalized => "normalized",
        Step::Scaled => "scaled",
        Step::Shifted => "shifted",
    };
    match place {
        Place::Own if is_last => path,
        Place::Own | Place::Out(_) => format!("{path}_{step}"),
        Place::In(_) => format!("{path}_in_{step}"),
    }
}
