//! Scale vectors that follow one another commute: those of ours against those of the other model, at one place of both.

use super::pairing::{Block, Fault, MustFold, Pairing};
use crate::op::{ExpertScale, Scale};
use crate::{Model, Op, RegionId, ScaleId, ValueId, dim};

impl Pairing<'_> {
    /// The vectors of ours applied to one another at `value`, outermost first, those that fold left out, and what the
    /// innermost multiplies.
    pub(super) fn run_of_ours(&self, region: RegionId, value: ValueId) -> (Vec<ScaleId>, ValueId) {
        let (mut vectors, value) = run(self.ours, region, value);
        vectors.retain(|scale| !self.folded.contains(scale));
        (vectors, value)
    }

    /// Gives each vector of ours a place among theirs: that of its own name, or else the first that can bear it. The
    /// places left over are filled with ones.
    pub(super) fn place_all(
        &mut self,
        block: Block,
        ours: &[ScaleId],
        theirs: Vec<ScaleId>,
    ) -> Result<(), Fault> {
        let mut free = theirs;
        let mut unnamed = Vec::new();
        for &scale in ours {
            match free.iter().position(|&place| self.has_name_of(scale, place)) {
                Some(index) => self.place(block, free.remove(index), scale)?,
                None => unnamed.push(scale),
            }
        }
        for scale in unnamed {
            let fits = free.iter().position(|&place| self.fits(block, place, scale).is_ok());
            match fits.or((!free.is_empty()).then_some(0)) {
                Some(index) => self.place(block, free.remove(index), scale)?,
                None => return Err(MustFold::one(scale, "has no place in it".to_owned())),
            }
        }
        for place in free {
            if let Some(Some(known)) = self.met.scales.insert((place, block.layer), None) {
                let name = path(self.theirs, place);
                return Err(MustFold::one(known, format!("multiplies less than `{name}` does")));
            }
        }
        Ok(())
    }

    fn has_name_of(&self, scale: ScaleId, place: ScaleId) -> bool {
        let region = |model: &Model, id: ScaleId| {
            let region = model.scales.get(id.0).and_then(|vector| model.regions.get(vector.region.0));
            region.map(|region| region.name.clone())
        };
        path(self.ours, scale) == path(self.theirs, place)
            && region(self.ours, scale) == region(self.theirs, place)
    }

    fn place(&mut self, block: Block, place: ScaleId, scale: ScaleId) -> Result<(), Fault> {
        self.fits(block, place, scale)?;
        match self.met.scales.get(&(place, block.layer)) {
            Some(Some(known)) if *known != scale => {
                self.met.merged.insert(place);
            }
            Some(_) | None => {
                self.met.scales.insert((place, block.layer), Some(scale));
            }
        }
        Ok(())
    }

    /// Whether `place` can have the value of `scale`; if not, what must fold.
    fn fits(&self, block: Block, place: ScaleId, scale: ScaleId) -> Result<(), Fault> {
        let (Some(a), Some(b)) = (self.ours.scales.get(scale.0), self.theirs.scales.get(place.0)) else {
            return Ok(());
        };
        let name = &b.path;
        if !dim::broadcasts(&dim::sizes(&a.dims), &dim::sizes(&b.dims)) {
            return Err(MustFold::one(scale, format!("does not fit `{name}`, which has other entries")));
        }
        if b.form.is_positive() && !a.form.is_positive() && !self.known.is_positive(scale) {
            let becomes = if *name == a.path { String::new() } else { format!("becomes `{name}`, which ") };
            let is = match self.known.first_not_positive(scale) {
                None => "as it need not be".to_owned(),
                Some(entry) => {
                    let layer = entry.layer.map_or_else(String::new, |layer| format!(" of layer {layer}"));
                    format!("while its entry {}{layer} is {}", entry.index, entry.value as f32)
                }
            };
            return Err(MustFold::one(scale, format!("{becomes}can only be positive there, {is},")));
        }
        match self.met.scales.get(&(place, block.layer)) {
            Some(None) => Err(MustFold::one(scale, format!("multiplies less than `{name}` does"))),
            Some(Some(known)) if !self.known.are_same(*known, scale) => {
                let of_other = |id: ScaleId, other: ScaleId| {
                    let other = path(self.ours, other);
                    let by = self.known.difference(*known, scale);
                    let by =
                        by.map_or_else(String::new, |by| format!(", from which it differs by up to {by},"));
                    (id, format!("would be `{name}` as `{other}` would{by}"))
                };
                Err(Fault::MustFold(MustFold(vec![of_other(*known, scale), of_other(scale, *known)])))
            }
            Some(Some(_)) | None => Ok(()),
        }
    }
}

/// The vectors applied to one another at `value`, outermost first, and what the innermost multiplies.
pub(super) fn run(model: &Model, region: RegionId, value: ValueId) -> (Vec<ScaleId>, ValueId) {
    let mut vectors = Vec::new();
    let mut value = value;
    while let Some((scale, input)) = scale_at(model, region, value) {
        vectors.push(scale);
        value = input;
    }
    (vectors, value)
}

fn scale_at(model: &Model, region: RegionId, value: ValueId) -> Option<(ScaleId, ValueId)> {
    let node = model.regions.get(region.0)?.nodes.get(value.0)?;
    match (&node.op, node.inputs.as_slice()) {
        // The copies of a mixture's tokens know one choice, which meets where they are made and summed.
        (Op::Scale(Scale { scale }), &[input]) | (Op::ExpertScale(ExpertScale { scale }), &[input, _]) => {
            Some((*scale, input))
        }
        (_, _) => None,
    }
}

fn path(model: &Model, scale: ScaleId) -> &str {
    model.scales.get(scale.0).map_or("", |scale| scale.path.as_str())
}
