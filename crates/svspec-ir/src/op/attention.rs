//! Causal softmax attention over the whole context, heads grouped (GQA) where k and v have fewer.
#![expect(clippy::indexing_slicing, reason = "every range comes from the shapes, which infer checked")]

mod alibi;
mod rows;

use self::alibi::slope;
use self::rows::{Row, Sizes};
use super::memory::F32;
use super::{Attribute, Cost, Kept, Operation, Passage, Reading, ResultKind, Work};
use crate::eval::{Documents, Environment, Gradients, Tensor, accumulate};
use crate::print::number::{rounded, shortest};
use crate::{Dim, Dims, Model, Op, ParamId, PerLayer, dim};
use serde::Serialize;
use std::ops::Range;

/// Inputs: q `[heads, head_dim]`, k `[kv_heads, head_dim]`, v `[kv_heads, head_dim]`; output `[heads, head_dim]`.
/// Query head `h` reads key-value head `h / (heads / kv_heads)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attention {
    /// Multiplies the scores; `1/sqrt(head_dim)` unless the spec says otherwise.
    pub scale: PerLayer,
    /// Each query sees this many positions, a whole number, up to and including its own; `None`: all of them.
    pub window: Option<PerLayer>,
    /// A query sees no key before the last multiple of this, a whole number, up to its own position (Llama 4), counted in its
    /// document.
    pub chunk: Option<PerLayer>,
    /// `cap · tanh(score / cap)`, after `scale`.
    pub soft_cap: Option<PerLayer>,
    /// ALiBi (arXiv 2108.12409): after `soft_cap`, a score loses a head's slope for each position that lies between; see
    /// [`alibi::slope`]. Holds `bound`, the exponent of the last slope.
    pub alibi: Option<PerLayer>,
    /// A logit for each head, `[heads]`, that takes part in the softmax and has no value (gpt-oss).
    pub sinks: Option<ParamId>,
}

impl Operation for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("attention")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        let window = self.window.as_ref().map(|window| ("window", shortest(window.at(None))));
        let chunk = self.chunk.as_ref().map(|chunk| ("chunk", shortest(chunk.at(None))));
        let soft_cap = self.soft_cap.as_ref().map(|cap| ("soft_cap", shortest(cap.at(None))));
        let alibi = self.alibi.as_ref().map(|bound| ("alibi", format!("bound {}", shortest(bound.at(None)))));
        let scale = ("scale", rounded(self.scale.at(None)));
        [Some(scale), window, chunk, soft_cap, alibi].into_iter().flatten().collect()
    }

    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        let optional =
            [self.window.as_mut(), self.chunk.as_mut(), self.soft_cap.as_mut(), self.alibi.as_mut()];
        optional.into_iter().flatten().chain([&mut self.scale]).collect()
    }

    fn is_of_part(&self) -> bool {
        true
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [q, k, v] = super::arity(inputs)?;
        let shown = || format!("q {}, k {} and v {}", dim::show(q), dim::show(k), dim::show(v));
        let ([heads, head_dim], [kv_heads, k_dim], [v_heads, v_dim]) = (q, k, v) else {
            return Err(format!("each of {} must be [heads, head_dim]", shown()));
        };
        let grouped = kv_heads.size > 0 && heads.size % kv_heads.size == 0;
        if let Some(sinks) = self.sinks {
            let sinks = model.params.get(sinks.0).ok_or("its sinks are no parameter of the model")?;
            if dim::sizes(&sinks.dims) != [heads.size] {
                return Err(format!(
                    "`{}` {} has not one entry per head",
                    sinks.path,
                    dim::show(&sinks.dims)
                ));
            }
        }
        if grouped && kv_heads.size == v_heads.size && head_dim.size == k_dim.size {
            return Ok(vec![heads.clone(), v_dim.clone()]);
        }
        Err(format!("{} do not fit together", shown()))
    }

    /// Counted over what is visible in a sequence of one document: a causal query sees `(context + 1) / 2` positions on average, of a window at most
    /// its length. Two products per position, and a softmax of four operations per score. A fused kernel keeps one
    /// statistic per head; with a soft cap or sinks the scores are written out, and the cap's tanh and the softmax are
    /// kept.
    fn cost(&self, model: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let positions = self.mean_visible(model.context);
        let heads = output.first().map_or(0, |dim| dim.size) as f64;
        let sides = inputs.first().map_or(0, |q| dim::num_elements(q)) + dim::num_elements(output);
        let matmul_flops = 2.0 * sides as f64 * positions;
        let written_out = heads * self.longest(model) as f64;
        let (per_score, scores) = match (&self.soft_cap, self.sinks) {
            (Some(_), _) => (7.0, 2.0 * written_out),
            (None, Some(_)) => (4.0, written_out),
            (None, None) => (4.0, 0.0),
        };
        let per_score = per_score + if self.alibi.is_some() { 1.0 } else { 0.0 };
        let read: usize = inputs.iter().map(|input| dim::num_elements(input)).sum();
        Cost {
            flops: matmul_flops + per_score * heads * positions,
            matmul_flops,
            saved: heads + scores,
            traffic: (read + dim::num_elements(output)) as f64 + 2.0 * scores,
        }
    }

    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn keeps_output(&self) -> bool {
        true
    }

    fn mixes_tokens(&self) -> bool {
        true
    }

    fn stays_within_documents(&self) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::Bf16
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        let heads = work.dims.first().map_or(0, |heads| heads.size) as u128;
        let has_documents = work.model.document_end.is_some();
        let context = self.longest(work.model) as u128;
        let (scores, square) = (F32 * work.tokens * heads * context, context * context);
        // Of documents, each sequence has a mask of its own, which `cost::step` counts where layers share it.
        let masks = if has_documents { work.tokens.div_ceil(context) } else { 1 };
        if self.writes_scores_out() {
            kept.forward = 4 * scores;
            kept.backward = 3 * scores;
        } else if self.alibi.is_some() {
            // The mask of each head, made in f64.
            kept.own += F32 * heads * square * masks;
            kept.forward = 2 * 2 * F32 * heads * square * masks;
        } else if self.window.is_some() && !has_documents {
            // The mask, as truth values and as numbers.
            kept.own += F32 * square;
            kept.forward = square;
        }
    }

    fn is_linear_in(&self, index: usize) -> bool {
        index == 2
    }

    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        let (Some([heads, _]), Some([kv_heads, v_dim]), 2) = (inputs.first(), inputs.get(2), index) else {
            return Passage::Blocked("through `attention`'s softmax of q and k".to_owned());
        };
        let group = (heads.size / kv_heads.size.max(1)).max(1);
        let of_head = |head: usize| channels.iter().skip(head / group * v_dim.size).take(v_dim.size).copied();
        Passage::Through((0..heads.size).flat_map(of_head).collect())
    }

    fn without_tensors(&self) -> Option<Op> {
        Some(Op::Attention(Self { sinks: self.sinks.map(|_| ParamId(0)), ..self.clone() }))
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [q, k, v] = super::operands(inputs);
        let (sizes, numbers) = (Sizes::of(q, v), self.numbers(env.layer));
        let documents = Documents::of(env, q);
        let mut context = Tensor::zeros(&q.shape_with(&[sizes.heads, sizes.v_dim]));
        for row in sizes.rows() {
            let visible = numbers.visible(row.time, documents.start(row.token(&sizes)));
            let scores = numbers.scores(&sizes, &row, visible.clone(), [q, k]);
            let (weights, _) = softmax(&scores, self.sink(env, row.head));
            for (weight, position) in weights.iter().zip(visible) {
                let value = sizes.value(&row, position);
                for (sum, v) in context.data[sizes.context(&row)].iter_mut().zip(&v.data[value]) {
                    *sum += weight * v;
                }
            }
        }
        context
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [q, k, v] = super::operands(inputs);
        let (sizes, numbers) = (Sizes::of(q, v), self.numbers(env.layer));
        let documents = Documents::of(env, q);
        let [mut of_q, mut of_k, mut of_v] = [q, k, v].map(|input| Tensor::zeros(&input.shape));
        let mut of_sinks = Tensor::zeros(&[sizes.heads]);
        for row in sizes.rows() {
            let visible = numbers.visible(row.time, documents.start(row.token(&sizes)));
            let scores = numbers.scores(&sizes, &row, visible.clone(), [q, k]);
            let (weights, sink_weight) = softmax(&scores, self.sink(env, row.head));
            let g = &gradient.data[sizes.context(&row)];
            let of_weights: Vec<f64> =
                visible.clone().map(|position| dot(g, &v.data[sizes.value(&row, position)])).collect();
            // The sink's value is 0, so it adds nothing to the mean.
            let mean = dot(&weights, &of_weights);
            of_sinks.data[row.head] -= sink_weight * mean;
            for (index, position) in visible.enumerate() {
                let value = sizes.value(&row, position);
                for (sum, g) in of_v.data[value].iter_mut().zip(g) {
                    *sum += weights[index] * g;
                }
                let capped = scores[index] - numbers.bias(&sizes, &row, position);
                let slope = numbers.soft_cap.map_or(1.0, |cap| 1.0 - (capped / cap).powi(2));
                let of_product = weights[index] * (of_weights[index] - mean) * slope * numbers.scale;
                let (query, key) = (sizes.query(&row), sizes.key(&row, position));
                for (sum, k) in of_q.data[query.clone()].iter_mut().zip(&k.data[key.clone()]) {
                    *sum += of_product * k;
                }
                for (sum, q) in of_k.data[key].iter_mut().zip(&q.data[query]) {
                    *sum += of_product * q;
                }
            }
        }
        if let Some(sinks) = self.sinks {
            accumulate(gradients, env.instance(sinks), of_sinks);
        }
        vec![Some(of_q), Some(of_k), Some(of_v)]
    }

    fn params(&self) -> Vec<ParamId> {
        self.sinks.into_iter().collect()
    }
}

impl Attention {
    /// Its numbers in one layer.
    fn numbers(&self, layer: Option<usize>) -> Numbers {
        Numbers {
            scale: self.scale.at(layer),
            window: self.window.as_ref().map(|window| window.at(layer) as usize),
            chunk: self.chunk.as_ref().map(|chunk| chunk.at(layer) as usize),
            soft_cap: self.soft_cap.as_ref().map(|cap| cap.at(layer)),
            alibi: self.alibi.as_ref().map(|bound| bound.at(layer)),
        }
    }

    /// Whether scores are written out, where a fused kernel cannot change them.
    pub fn writes_scores_out(&self) -> bool {
        self.soft_cap.is_some() || self.sinks.is_some()
    }

    /// How many positions attention is computed over at once; chunks of documents are a mask over the whole context.
    fn longest(&self, model: &Model) -> usize {
        if model.document_end.is_some() { model.context } else { self.longest_seen(model.context) }
    }

    /// How many positions the last query of a chunk sees, where the chunk is the same in every layer.
    fn longest_seen(&self, context: usize) -> usize {
        self.chunk.as_ref().map_or(context, |chunk| context.min(chunk.at(None) as usize)).max(1)
    }

    /// The mean number of visible positions over a context of `context`, where window and chunk are the same in every layer.
    fn mean_visible(&self, context: usize) -> f64 {
        let context = context.max(1);
        let chunk = self.longest_seen(context);
        let visible = |len: usize| {
            let len = len as f64;
            let window = self.window.as_ref().map_or(len, |window| window.at(None).min(len));
            // The first `window` queries see 1, 2, …; the rest see `window` each.
            window * (window + 1.0) / 2.0 + (len - window) * window
        };
        ((context / chunk) as f64 * visible(chunk) + visible(context % chunk)) / context as f64
    }

    /// The logit of a head's sink, if it has one.
    fn sink(&self, env: &Environment<'_>, head: usize) -> Option<f64> {
        self.sinks.map(|sinks| env.value(sinks).data[head])
    }
}

/// The numbers of one layer.
struct Numbers {
    scale: f64,
    window: Option<usize>,
    chunk: Option<usize>,
    soft_cap: Option<f64>,
    alibi: Option<f64>,
}

impl Numbers {
    /// The positions that the query at `time` sees, whose document begins at `start`.
    fn visible(&self, time: usize, start: usize) -> Range<usize> {
        let of_window = self.window.map_or(0, |window| (time + 1).saturating_sub(window));
        let of_chunk = self.chunk.map_or(0, |chunk| (time - start) / chunk.max(1) * chunk);
        of_window.max(start + of_chunk)..time + 1
    }

    /// What ALiBi adds to the score of `position`.
    fn bias(&self, sizes: &Sizes, row: &Row, position: usize) -> f64 {
        let distance = row.time.saturating_sub(position) as f64;
        self.alibi.map_or(0.0, |bound| -slope(row.head, sizes.heads, bound) * distance)
    }

    /// The scaled, capped and biased scores of the visible positions.
    fn scores(&self, sizes: &Sizes, row: &Row, visible: Range<usize>, [q, k]: [&Tensor; 2]) -> Vec<f64> {
        let query = &q.data[sizes.query(row)];
        let score = |position: usize| {
            let score = self.scale * dot(query, &k.data[sizes.key(row, position)]);
            let score = self.soft_cap.map_or(score, |cap| cap * (score / cap).tanh());
            score + self.bias(sizes, row, position)
        };
        visible.map(score).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The weights of the scores, and that of the sink: all of them sum to 1.
fn softmax(scores: &[f64], sink: Option<f64>) -> (Vec<f64>, f64) {
    let sink = sink.unwrap_or(f64::NEG_INFINITY);
    let largest = scores.iter().copied().fold(sink, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let of_sink = (sink - largest).exp();
    let sum = powers.iter().sum::<f64>() + of_sink;
    (powers.into_iter().map(|power| power / sum).collect(), of_sink / sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{Trial, entries};

    const PLAIN: Attention = Attention {
        scale: PerLayer::Uniform(0.7),
        window: None,
        chunk: None,
        soft_cap: None,
        alibi: None,
        sinks: None,
    };

    #[test]
    fn derivative_of_plain_windowed_and_capped_attention() {
        for op in [
            PLAIN,
            Attention { window: Some(2.0.into()), ..PLAIN },
            Attention { soft_cap: Some(1.5.into()), ..PLAIN },
            Attention { chunk: Some(2.0.into()), ..PLAIN },
            Attention {
                window: Some(2.0.into()),
                chunk: Some(3.0.into()),
                soft_cap: Some(1.5.into()),
                ..PLAIN
            },
        ] {
            Trial::new().check(&op, &[&[2, 3], &[2, 3], &[2, 3]]);
            Trial::new().check(&op, &[&[4, 3], &[2, 3], &[2, 5]]);
        }
    }

    #[test]
    fn derivative_with_slopes() {
        for op in [PLAIN, Attention { window: Some(3.0.into()), soft_cap: Some(1.5.into()), ..PLAIN }] {
            Trial::new().check(&Attention { alibi: Some(8.0.into()), ..op }, &[&[3, 2], &[3, 2], &[3, 4]]);
        }
    }

    #[test]
    fn derivative_with_sinks() {
        for op in [PLAIN, Attention { window: Some(2.0.into()), soft_cap: Some(1.5.into()), ..PLAIN }] {
            let mut trial = Trial::new();
            let sinks = Some(trial.param("attn.sinks", &[4], 0));
            trial.check(&Attention { sinks, ..op }, &[&[4, 3], &[2, 3], &[2, 3]]);
        }
    }

    #[test]
    fn derivative_within_documents() {
        let mut trial = Trial::new();
        for end in 0..trial.model().vocab {
            trial.document_end(end);
            for op in [PLAIN, Attention { window: Some(2.0.into()), chunk: Some(2.0.into()), ..PLAIN }] {
                trial.check(&op, &[&[4, 3], &[2, 3], &[2, 5]]);
            }
        }
    }

    #[test]
    fn a_sink_takes_its_share_of_the_weights() {
        // Scores 0 and 0 beside a sink of log 2: a half goes to the sink, a quarter to each position.
        let (weights, of_sink) = softmax(&[0.0, 0.0], Some(2_f64.ln()));
        assert!((of_sink - 0.5).abs() < 1e-15 && weights.iter().all(|weight| (weight - 0.25).abs() < 1e-15));
    }

    #[test]
    fn the_first_position_sees_itself_only() {
        let q = Tensor::new(vec![1, 2, 1, 1], vec![1.0, 0.0]);
        let v = Tensor::new(vec![1, 2, 1, 1], vec![3.0, 5.0]);
        let y = Trial::new().eval(&PLAIN, &[q.clone(), q, v]);
        assert_eq!(y.data, [3.0, 4.0]);
    }

    #[test]
    fn two_query_heads_read_one_value_head() {
        let [heads, kv_heads, dim] = [Dim::new("heads", 4), Dim::new("kv_heads", 2), Dim::new("head_dim", 2)];
        let (q, kv) = ([heads, dim.clone()], [kv_heads, dim]);
        let passage = PLAIN.pass_scale(&Trial::new().model(), 2, &entries(&[0, 1, 2, 3]), &[&q, &kv, &kv]);
        assert_eq!(passage, Passage::Through(entries(&[0, 1, 0, 1, 2, 3, 2, 3])));
    }

    #[test]
    fn visible_positions_are_counted_exactly() {
        let lengths = [None, Some(1.0), Some(3.0), Some(9.0)].map(|length| length.map(PerLayer::Uniform));
        for (window, chunk) in
            lengths.iter().flat_map(|window| lengths.iter().map(move |chunk| (window, chunk)))
        {
            let op = Attention { window: window.clone(), chunk: chunk.clone(), ..PLAIN };
            let counted: usize = (0..7).map(|time| op.numbers(None).visible(time, 0).len()).sum();
            assert!((op.mean_visible(7) - counted as f64 / 7.0).abs() < 1e-12, "{window:?} {chunk:?}");
        }
    }
}
