//! A function of the language in; its op, given values of these dimensions, out.

use super::Naming;
use crate::lower::region::{RegionBuilder, dims_text};
use crate::op::concat::concat_dims;
use crate::op::{Clamp, Concat, Delay, Slice, SoftCap, View};
use crate::resolve::{Formula, Function};
use crate::{Dim, Dims, Op, PerLayer, ValueId};
use svspec_diagnostics::{Diagnostic, Span};

impl RegionBuilder<'_, '_> {
    /// Adds the node of a function applied to `arguments`.
    pub(super) fn call(
        &mut self,
        function: &Function,
        arguments: &[Formula],
        naming: Naming<'_>,
        span: Span,
    ) -> Option<ValueId> {
        let within = naming.within();
        let values: Vec<Option<ValueId>> =
            arguments.iter().map(|argument| self.term(argument, within)).collect();
        let values = values.into_iter().collect::<Option<Vec<ValueId>>>()?;
        let &x = values.first()?;
        let (what, op) = match function {
            Function::Activation(activation) => ("activated", Op::Activation(*activation)),
            Function::SoftCap(cap) => ("capped", Op::SoftCap(SoftCap { cap: cap.clone() })),
            Function::Clamp([low, high]) => {
                ("clamped", Op::Clamp(Clamp { low: low.clone(), high: high.clone() }))
            }
            Function::Delay(tokens) => ("delayed", Op::Delay(Delay { steps: self.size(tokens) })),
            Function::Slice(bounds) => {
                let bounds = bounds.each_ref().map(|bound| self.size(bound));
                return self.slice(x, bounds, naming, span);
            }
            Function::Concat => return self.concat(values, arguments, naming, span),
            Function::SplitHeads(heads) => return self.split_heads(x, self.size(heads), naming, span),
            Function::JoinHeads => return self.join_heads(x, naming, span),
        };
        self.same_dims(&naming.name(what), op, x, "", span)
    }

    /// A whole number as it is in the layers of this kind.
    fn size(&self, number: &PerLayer) -> usize {
        number.at(self.depth()) as usize
    }

    fn slice(
        &mut self,
        x: ValueId,
        [start, end]: [usize; 2],
        naming: Naming<'_>,
        span: Span,
    ) -> Option<ValueId> {
        let (last, leading) =
            self.dims(x).split_last().map(|(last, leading)| (last.size, leading.to_vec()))?;
        if end > last {
            let message = format!("channels {start} to {end} are asked for of `{}`", dims_text(self.dims(x)));
            self.report(
                Diagnostic::error("dimension-mismatch", message)
                    .at(span, format!("the last channel is {}", last - 1))
                    .help(format!("the end is at most {last}")),
            );
            return None;
        }
        let dim = self.channels_dim(&leading, end - start);
        let dims = leading.into_iter().chain([dim.clone()]).collect();
        let op = Op::Slice(Slice { start, dims: vec![dim] });
        self.node(&naming.name("slice"), op, vec![x], dims, "", span)
    }

    fn concat(
        &mut self,
        values: Vec<ValueId>,
        arguments: &[Formula],
        naming: Naming<'_>,
        span: Span,
    ) -> Option<ValueId> {
        let inputs: Vec<&[Dim]> = values.iter().map(|&value| self.dims(value)).collect();
        let Some(dims) = concat_dims(&inputs, "channels") else {
            let shown: Vec<String> = inputs.iter().map(|dims| format!("`{}`", dims_text(dims))).collect();
            let mut finding = Diagnostic::error(
                "dimension-mismatch",
                format!("{} do not stand side by side", shown.join(" and ")),
            )
            .at(span, "of different heads");
            if let Some((first, dims)) = arguments.first().zip(shown.first()) {
                finding = finding.because(first.span, dims.clone());
            }
            self.report(finding.help(
                "all have the same number of heads, or one head, which stands beside each; `split_heads(x, 1)` \
                 makes one head of channels without",
            ));
            return None;
        };
        let leading = dims.split_last().map_or(&[][..], |(_, leading)| leading).to_vec();
        let size = dims.last()?.size;
        let dims = leading.iter().cloned().chain([self.channels_dim(&leading, size)]).collect();
        self.node(&naming.name("joined"), Op::Concat(Concat), values, dims, "", span)
    }

    fn split_heads(&mut self, x: ValueId, heads: usize, naming: Naming<'_>, span: Span) -> Option<ValueId> {
        let [channels] = self.dims(x) else {
            let found = dims_text(self.dims(x));
            self.report(
                Diagnostic::error("dimension-mismatch", format!("`{found}` has heads already"))
                    .at(span, "split again")
                    .help("`join_heads(x)` puts heads side by side"),
            );
            return None;
        };
        let channels = channels.size;
        if !channels.is_multiple_of(heads) {
            let message = format!("{channels} channels are not a multiple of {heads} heads");
            self.report(
                Diagnostic::error("heads-not-divisible", message)
                    .at(span, format!("{channels} / {heads} = {:.3}", channels as f64 / heads as f64))
                    .help("choose a number of heads that divides the channels"),
            );
            return None;
        }
        let dims = vec![Dim::new("heads", heads), Dim::new("head_dim", channels / heads)];
        self.node(&naming.name("heads"), Op::View(View { dims: dims.clone() }), vec![x], dims, "", span)
    }

    fn join_heads(&mut self, x: ValueId, naming: Naming<'_>, span: Span) -> Option<ValueId> {
        let [heads, head_dim] = self.dims(x) else {
            let found = dims_text(self.dims(x));
            self.report(
                Diagnostic::error("dimension-mismatch", format!("`{found}` has no heads to join"))
                    .at(span, "already flat")
                    .help("a `linear` part with `heads`, `split_heads` and `attend` give values with heads"),
            );
            return None;
        };
        let size = heads.size * head_dim.size;
        let dims: Dims = vec![self.channels_dim(&[], size)];
        self.node(&naming.name("joined"), Op::View(View { dims: dims.clone() }), vec![x], dims, "", span)
    }

    /// The dimension of `size` channels: of a head, or, of a flat value, the model's own name for it.
    fn channels_dim(&self, leading: &[Dim], size: usize) -> Dim {
        if leading.is_empty() { self.out_dim("channels", size) } else { Dim::new("head_dim", size) }
    }
}
