"""Multipliers, fixed and learned, and shared tables."""

import torch
from decoder import Decoder


class multipliers(Decoder):
    """Embedding, branches, scores and logits times constants, as in Granite."""

    def embed(self, tokens):
        return 12 * super().embed(tokens)

    def layer(self, x):
        x = x + 0.22 * self.attention(self.norm("attn_norm", x))
        return x + 0.22 * self.mlp(self.norm("mlp_norm", x))

    def score_scale(self):
        return 1 / self.HEAD_DIM

    def head(self, x):
        return super().head(x) / 8


class depth_and_width(Decoder):
    """Branches times 1.4 / √L, logits over width / 64, arXiv 2404.06395."""

    def embed(self, tokens):
        return 12 * super().embed(tokens)

    def layer(self, x):
        factor = 1.4 / self.LAYERS**0.5
        x = x + factor * self.attention(self.norm("attn_norm", x))
        return x + factor * self.mlp(self.norm("mlp_norm", x))

    def head(self, x):
        return super().head(x) / (self.WIDTH / 64)


class mup(Decoder):
    """Scores over head_dim, logits over the width, the rate of a matrix over its fan-in, from a width of 64, arXiv 2203.03466."""

    def score_scale(self):
        return 16**0.5 / self.HEAD_DIM

    def head(self, x):
        return super().head(x) / (self.WIDTH / 64)

    def rate(self, name, tensor):
        if ".attn." not in name and ".mlp." not in name:
            return 1.0
        return 64 / (tensor.shape[-1] if not name.endswith(".o.weight") else self.HEADS * self.HEAD_DIM)


class learned_multipliers(Decoder):
    """diag(r) W diag(c) for every matrix of a block, c alone on the head; left out of clipping, arXiv 2601.04890."""

    CLIP, UNCLIPPED = 0.5, ("_scale",)

    def norm(self, name, x):
        return self.rms(x)

    def map(self, name, x, out, axes=1):
        c = self.gain(f"{name}.in_scale", *x.shape[-axes:])
        y = super().map(name, c * x, out, axes)
        return y if name == "unembed" else self.gain(f"{name}.out_scale", *out) * y


class tied(Decoder):
    """The head's matrix is the embedding table, arXiv 1608.05859."""

    def head(self, x):
        return self.norm("final_norm", x) @ self.tensors["embed.weight"].T
