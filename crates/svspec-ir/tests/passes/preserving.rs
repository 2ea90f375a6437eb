//! What a diff calls function-preserving is: the mapping that it names, applied to drawn values, leaves the logits alone.

use crate::spec::Sketch;
use std::collections::BTreeMap;
use svspec_ir::eval::{Tensor, Values, forward, random_tokens, random_values};
use svspec_ir::fold::fold;
use svspec_ir::{CheckedModel, Class, Instance, Model, ParamKind, ScaleForm, ScaleId, diff, scale};

/// Relative to the largest logit; the two sides differ in the order of a few roundings.
const TOLERANCE: f64 = 1e-12;

fn logits(model: &Model, values: &Values) -> Vec<f64> {
    let (tokens, targets) = (random_tokens(model, 2, 6, 1), random_tokens(model, 2, 6, 2));
    forward(model, values, &tokens, &targets).logits.data
}

/// The old values under the new model's names; scale vectors that it alone has are identities.
fn carried(old: &Model, new: &Model, values: &Values) -> Values {
    let by_name: BTreeMap<String, &Tensor> =
        values.iter().map(|(instance, tensor)| (old.instance_name(*instance), tensor)).collect();
    let identity = |instance: Instance| {
        let owner = new.scales.iter().find(|scale| scale.params.contains(&instance.param)).unwrap();
        let at = owner.params.iter().position(|param| *param == instance.param).unwrap();
        owner.form.identity()[at]
    };
    let value = |instance: Instance| {
        let shape: Vec<usize> = new.params[instance.param.0].dims.iter().map(|dim| dim.size).collect();
        let tensor = by_name.get(&new.instance_name(instance)).filter(|tensor| tensor.shape == shape);
        (
            instance,
            tensor.map_or_else(|| Tensor::filled(&shape, identity(instance)), |tensor| (*tensor).clone()),
        )
    };
    new.instances().into_iter().map(value).collect()
}

fn scale_called(model: &Model, path: &str) -> ScaleId {
    ScaleId(model.scales.iter().position(|scale| scale.path == path).unwrap())
}

/// The layers of a scale vector.
fn layers(model: &Model, id: ScaleId) -> Vec<Option<usize>> {
    let first = model.scales[id.0].params[0];
    model
        .instances()
        .iter()
        .filter(|instance| instance.param == first)
        .map(|instance| instance.layer)
        .collect()
}

/// Gives the new vector γ of the old one, converted to its form.
fn bear(old: &Model, values: &Values, from: &str, new: &Model, into: &mut Values, to: &str) {
    let (from, to) = (scale_called(old, from), scale_called(new, to));
    let vector = &new.scales[to.0];
    for layer in layers(old, from) {
        let gamma = scale::gamma(old, from, layer, values);
        let rms =
            (gamma.data.iter().map(|entry| entry * entry).sum::<f64>() / gamma.data.len() as f64).sqrt();
        let parts: Vec<Tensor> = match vector.form {
            ScaleForm::Direct => vec![gamma],
            ScaleForm::OnePlus => vec![gamma.map(|entry| entry - 1.0)],
            ScaleForm::Softplus => vec![gamma.map(|entry| entry.exp_m1().ln())],
            ScaleForm::MagnitudeDirection => vec![Tensor::filled(&[], rms), gamma],
            ScaleForm::ExpMagnitudeDirection => {
                let log = gamma.map(f64::ln);
                vec![Tensor::filled(&[], log.mean()), log]
            }
        };
        for (&param, part) in vector.params.iter().zip(parts) {
            into.insert(Instance { param, layer }, part);
        }
    }
}

#[track_caller]
fn assert_same(old: &Model, values: &Values, new: &Model, mapped: &Values) {
    let (before, after) = (logits(old, values), logits(new, mapped));
    let largest = before.iter().fold(0.0_f64, |largest, logit| largest.max(logit.abs()));
    let difference = before.iter().zip(&after).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
    assert!(difference <= TOLERANCE * largest, "{difference} of {largest}");
}

#[track_caller]
fn is_preserving(old: &CheckedModel, new: &CheckedModel) {
    assert_eq!(diff(old, new).verdict.class, Class::FunctionPreserving);
}

#[test]
fn branch_vectors_take_over_from_the_shared_one() {
    let old = Sketch::default().compile();
    let new = Sketch {
        parts: "normalize attn_norm, mlp_norm\n rms_norm final_norm",
        placements: "attn.{q, k, v}, mlp.{gate, up} : in scale",
        ..Sketch::default()
    }
    .compile();
    is_preserving(&old, &new);
    let values = random_values(old.model(), 3);
    let mut mapped = carried(old.model(), new.model(), &values);
    for (from, to) in [
        ("attn_norm.scale", "attn.q.in_scale"),
        ("attn_norm.scale", "attn.k.in_scale"),
        ("attn_norm.scale", "attn.v.in_scale"),
        ("mlp_norm.scale", "mlp.gate.in_scale"),
        ("mlp_norm.scale", "mlp.up.in_scale"),
    ] {
        bear(old.model(), &values, from, new.model(), &mut mapped, to);
    }
    assert_same(old.model(), &values, new.model(), &mapped);
}

#[test]
fn other_forms_bear_the_same_vector() {
    let old = Sketch::default().compile();
    let values = random_values(old.model(), 4);
    for form in ["one_plus", "magnitude_direction"] {
        let placements = format!("scale : {form}");
        let new = Sketch { placements: &placements, ..Sketch::default() }.compile();
        is_preserving(&old, &new);
        let mut mapped = carried(old.model(), new.model(), &values);
        for path in ["attn_norm.scale", "mlp_norm.scale", "final_norm.scale"] {
            bear(old.model(), &values, path, new.model(), &mut mapped, path);
        }
        assert_same(old.model(), &values, new.model(), &mapped);
    }
}

#[test]
fn a_positive_vector_becomes_an_exponential_one() {
    for form in ["exp_magnitude_direction", "softplus"] {
        a_positive_form_becomes_another(form);
    }
}

fn a_positive_form_becomes_another(form: &str) {
    let exponential = Sketch { placements: &format!("scale : {form}"), ..Sketch::default() }.compile();
    let other = Sketch { placements: "scale : magnitude_direction", ..Sketch::default() }.compile();
    is_preserving(&exponential, &other);
    let values = random_values(exponential.model(), 5);
    let mut mapped = carried(exponential.model(), other.model(), &values);
    for path in ["attn_norm.scale", "mlp_norm.scale", "final_norm.scale"] {
        bear(exponential.model(), &values, path, other.model(), &mut mapped, path);
    }
    assert_same(exponential.model(), &values, other.model(), &mapped);
    let mut back = carried(other.model(), exponential.model(), &mapped);
    for path in ["attn_norm.scale", "mlp_norm.scale", "final_norm.scale"] {
        bear(other.model(), &mapped, path, exponential.model(), &mut back, path);
    }
    assert_same(exponential.model(), &values, exponential.model(), &back);
}

#[test]
fn vectors_that_fold_can_go() {
    let with = Sketch {
        attn: "kv_heads = 1, rope, bias = on",
        placements: "attn.{q, k, v}, mlp.{gate, up} : in scale\n attn.{q, v}, mlp.{gate, up} : out scale\n unembed : out scale",
        ..Sketch::default()
    }
    .compile();
    let without = Sketch {
        attn: "kv_heads = 1, rope, bias = on",
        parts: "normalize attn_norm, mlp_norm, final_norm",
        ..Sketch::default()
    }
    .compile();
    is_preserving(&with, &without);
    let values = random_values(with.model(), 6);
    let folded = fold(with.model(), &values, with.facts());
    assert!(folded.keys().any(|instance| with.model().params[instance.param.0].kind == ParamKind::Bias));
    let mapped = carried(with.model(), without.model(), &folded);
    assert_same(with.model(), &values, without.model(), &mapped);
}
