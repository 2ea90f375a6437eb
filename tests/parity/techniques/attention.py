"""What happens in the attention: norms, sinks, documents, bounds, shared keys, positions."""

import math

import torch
from decoder import Decoder


class qk_norm(Decoder):
    """N over each head of q and k, arXiv 2010.04245 and 2302.05442."""

    NORMED = ("q", "k")

    def project(self, name, x, heads):
        y = super().project(name, x, heads)
        if name[-1] not in self.NORMED:
            return y
        return self.gain(f"{name}.out_scale", self.HEAD_DIM) * self.rms(y)


class qk_norm_full(Decoder):
    """N over all heads of q and of k."""

    def project(self, name, x, heads):
        y = super().project(name, x, heads)
        if name.endswith(".v"):
            return y
        return self.gain(f"{name}.out_scale", heads, self.HEAD_DIM) * self.rms(y, dims=2)


class value_norm(qk_norm):
    """On v as well."""

    NORMED = ("q", "k", "v")


class context_norm(Decoder):
    """N over each head of what the attention gathered."""

    def gathered(self, name, context):
        return super().gathered(name, self.gain(f"{name}.in_scale", self.HEAD_DIM) * self.rms(context))


class sinks(Decoder):
    """exp(s) / (exp(sink) + Σ exp(s)), arXiv 2309.17453 and gpt-oss."""

    def shares(self, scores, name):
        sink = self.vector(f"{name}.sinks", self.HEADS, around=0.0)[None, :, None, None]
        largest = torch.maximum(scores.amax(-1, keepdim=True), sink)
        weights = torch.exp(scores - largest)
        return weights / (weights.sum(-1, keepdim=True) + torch.exp(sink - largest))


class documents(Decoder):
    """Each document by itself, arXiv 2402.13991; the token that ends one is its last."""

    VOCAB, DOCUMENT_END = 5, 0

    def logits(self, tokens_bt):
        return torch.stack([self.of_sequence(tokens_t) for tokens_t in tokens_bt])

    def of_sequence(self, tokens_t):
        begins = (tokens_t[:-1] == self.DOCUMENT_END).nonzero().flatten() + 1
        alone = super().logits
        return torch.cat([alone(document[None])[0] for document in torch.tensor_split(tokens_t, begins)])


class capped(Decoder):
    """c tanh(s / c) of scores and logits, arXiv 2408.00118."""

    def bounded(self, scores):
        return 50 * torch.tanh(scores / 50)

    def head(self, x):
        return 30 * torch.tanh(super().head(x) / 30)


class multi_query(Decoder):
    """One key and value head for all, arXiv 1911.02150; every other case has two query heads for each."""

    KV_HEADS = 1


class partial_rope(Decoder):
    """The first channels of a head turn, the others do not."""

    ROTATED = 2


class yarn(Decoder):
    """NTK-by-parts interpolation with its temperature, arXiv 2309.00071."""

    FACTOR, ORIGINAL, FAST, SLOW = 4, 32, 32, 1

    def frequencies(self, name):
        base = super().frequencies(name)

        def pair_with_turns(turns):
            # θ^(−2i/d) · ORIGINAL = 2π · turns, solved for i.
            angle = 2 * math.pi * turns
            return self.ROTATED * math.log(self.ORIGINAL / angle) / (2 * math.log(self.ROPE_BASE))

        low = max(math.floor(pair_with_turns(self.FAST)), 0)
        high = min(math.ceil(pair_with_turns(self.SLOW)), self.ROTATED - 1)
        ramp = ((torch.arange(len(base)) - low) / max(high - low, 1e-3)).clamp(0, 1)
        return base / self.FACTOR * ramp + base * (1 - ramp)

    def rotate(self, x, name):
        return super().rotate(x, name) * (0.1 * math.log(self.FACTOR) + 1)


class llama3_rope(Decoder):
    """Slow pairs divided, fast ones kept, a blend between."""

    ROPE_BASE, FACTOR, LOW, HIGH, ORIGINAL = 500_000.0, 8, 1, 4, 64

    def frequencies(self, name):
        base = super().frequencies(name)
        turns = self.ORIGINAL * base / (2 * math.pi)
        kept = ((turns - self.LOW) / (self.HIGH - self.LOW)).clamp(0, 1)
        return kept * base + (1 - kept) * base / self.FACTOR


class no_positions(Decoder):
    """arXiv 2305.19466."""

    def rotate(self, x, name):
        return x


class learned_positions(no_positions):
    """A vector for each position."""

    def embed(self, tokens):
        table = self.matrix("pos.weight", self.CONTEXT, self.WIDTH, fan_in=self.WIDTH)
        return super().embed(tokens) + table[: tokens.shape[1]]


class local_global(Decoder):
    """A layer that sees five tokens, then one that sees all, each with a rotary base of its own."""

    WINDOW, KV_HEADS, HEAD_DIM, ROTATED = 5, 4, 4, 4

    def layer(self, x):
        x = x + self.attention(self.norm("attn_norm", x), ("local_attn", "global_attn")[self.index])
        return x + self.mlp(self.norm("mlp_norm", x))

    def visible(self, time, name):
        before = super().visible(time, name)
        age = torch.arange(time)[:, None] - torch.arange(time)
        return before & (age < self.WINDOW) if name == "local_attn" else before

    def frequencies(self, name):
        base = 10_000.0 if name == "local_attn" else 1e6
        return base ** (-torch.arange(0, self.ROTATED, 2) / self.ROTATED)
