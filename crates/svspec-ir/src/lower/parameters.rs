//! The parameters and scale vectors of a model while it is built: each is made once, however often its part is used.

use crate::param::ScalePart;
use crate::resolve::{Resolved, StageScale};
use crate::{
    DefaultInit, Dims, Param, ParamId, ParamKind, PerLayer, RegionId, ScaleForm, ScaleId, ScaleVector, Site,
};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span};

/// More entries than this, in all layers together, are refused: some thousand times the largest models there are.
const MOST_PARAMETERS: f64 = 1e15;

/// Where a part's parameters live: in each layer of one kind, or once in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    /// In the layers of this region.
    Layer(RegionId),
    /// Outside the stack.
    Model,
}

/// Parameters and scale vectors, and how to find those that exist already.
#[derive(Default)]
pub struct Parameters {
    /// Templates.
    pub params: Vec<Param>,
    /// Templates.
    pub scales: Vec<ScaleVector>,
    known_params: BTreeMap<(Home, String), ParamId>,
    known_scales: BTreeMap<(Home, String), ScaleId>,
}

/// A parameter to make or find.
pub struct NewParam {
    /// Its path.
    pub path: String,
    /// What it is.
    pub kind: ParamKind,
    /// Which part of a scale vector.
    pub scale_part: Option<ScalePart>,
    /// Its shape.
    pub dims: Dims,
    /// How many leading dimensions are outputs.
    pub num_out_dims: usize,
    /// Its init.
    pub init: DefaultInit,
    /// The statement that makes it.
    pub span: Span,
}

/// A scale vector to make or find.
#[derive(Clone, Copy)]
pub struct NewScale<'a> {
    /// Its path.
    pub path: &'a str,
    /// Where it is placed.
    pub site: Site,
    /// Its shape.
    pub dims: &'a Dims,
    /// How many vectors these are.
    pub num_vectors: usize,
    /// Its form and init.
    pub placed: &'a StageScale,
    /// The statement that places it.
    pub span: Span,
}

/// A part is used with two shapes; holds the shape that its parameter has already.
pub struct Conflict(pub Dims);

impl Parameters {
    /// The parameter of that path, made at the first call.
    pub fn param(&mut self, home: Home, region: RegionId, new: NewParam) -> Result<ParamId, Conflict> {
        let key = (home, new.path.clone());
        if let Some(&known) = self.known_params.get(&key) {
            return match self.params.get(known.0) {
                Some(param) if !same_sizes(&param.dims, &new.dims) => Err(Conflict(param.dims.clone())),
                Some(_) | None => Ok(known),
            };
        }
        let id = ParamId(self.params.len());
        self.params.push(Param {
            path: new.path,
            region,
            kind: new.kind,
            scale_part: new.scale_part,
            dims: new.dims,
            num_out_dims: new.num_out_dims,
            default_init: new.init,
            span: new.span,
        });
        self.known_params.insert(key, id);
        Ok(id)
    }

    /// The parameter of that path, if it has been made.
    pub fn find(&self, home: Home, path: &str) -> Option<ParamId> {
        self.known_params.get(&(home, path.to_owned())).copied()
    }

    /// The scale vector of that path with its parameters, made at the first call.
    pub fn scale(&mut self, home: Home, region: RegionId, new: NewScale<'_>) -> Result<ScaleId, Conflict> {
        let NewScale { path, site, dims, num_vectors, placed, span } = new;
        let key = (home, path.to_owned());
        if let Some(&known) = self.known_scales.get(&key) {
            return match self.scales.get(known.0) {
                Some(scale) if !same_sizes(&scale.dims, dims) => Err(Conflict(scale.dims.clone())),
                Some(_) | None => Ok(known),
            };
        }
        let mut params = Vec::new();
        for (part, init) in components(placed) {
            let (suffix, dims) = match part {
                ScalePart::Whole => ("", dims.clone()),
                // A number for each vector.
                ScalePart::Magnitude if num_vectors > 1 => {
                    (".magnitude", dims.first().cloned().into_iter().collect())
                }
                ScalePart::Magnitude => (".magnitude", Vec::new()),
                ScalePart::Direction => (".direction", dims.clone()),
            };
            let new = NewParam {
                path: format!("{path}{suffix}"),
                kind: ParamKind::Scale,
                scale_part: Some(part),
                dims,
                num_out_dims: 0,
                init: DefaultInit::Constant(init),
                span,
            };
            params.push(self.param(home, region, new)?);
        }
        let id = ScaleId(self.scales.len());
        self.scales.push(ScaleVector {
            path: path.to_owned(),
            region,
            site,
            form: placed.form,
            dims: dims.clone(),
            num_vectors,
            params,
            asserted: placed.asserted,
            span,
        });
        self.known_scales.insert(key, id);
        Ok(id)
    }

    /// The fault of a model that no machine could hold, if this is one.
    pub fn too_many(&self, resolved: &Resolved) -> Option<Diagnostic> {
        // In f64, which cannot overflow here; exact far beyond the limit's precision.
        let size = |param: &Param| param.dims.iter().map(|dim| dim.size as f64).product::<f64>();
        let copies = |param: &Param| {
            let is_of_layers = param
                .region
                .0
                .checked_sub(super::FIRST_LAYER)
                .is_some_and(|kind| kind < resolved.kinds.len());
            if is_of_layers { super::num_layers(resolved, param.region) } else { 1 }
        };
        let sizes = self.params.iter().map(|param| (param, size(param) * copies(param) as f64));
        let total: f64 = sizes.clone().map(|(_, size)| size).sum();
        let (largest, size) = sizes.max_by(|a, b| a.1.total_cmp(&b.1))?;
        (total > MOST_PARAMETERS).then(|| {
            Diagnostic::error(
                "too-large",
                format!("the model would have {total:.3e} parameters; the most is {MOST_PARAMETERS:.0e}"),
            )
            .at(largest.span, format!("`{}` alone would have {size:.3e}", largest.path))
            .help("check the digits and suffixes of `width`, `vocab`, `hidden` and the number of layers")
        })
    }
}

/// The parameters of a form, with the values at which γ is `init`.
fn components(placed: &StageScale) -> Vec<(ScalePart, PerLayer)> {
    let init = placed.init.clone();
    match placed.form {
        ScaleForm::Direct => vec![(ScalePart::Whole, init)],
        ScaleForm::OnePlus => vec![(ScalePart::Whole, init.map(|init| init - 1.0))],
        ScaleForm::MagnitudeDirection => {
            vec![(ScalePart::Magnitude, init), (ScalePart::Direction, 1.0.into())]
        }
        ScaleForm::ExpMagnitudeDirection => {
            vec![(ScalePart::Magnitude, init.map(f64::ln)), (ScalePart::Direction, 0.0.into())]
        }
        ScaleForm::Softplus => vec![(ScalePart::Whole, init.map(ScaleForm::softplus_parameter))],
    }
}

fn same_sizes(a: &Dims, b: &Dims) -> bool {
    a.iter().map(|dim| dim.size).eq(b.iter().map(|dim| dim.size))
}
