"""Where the norms go: the equations of a layer, each from its paper."""

import torch
import torch.nn.functional as F
from decoder import Decoder


class pre(Decoder):
    """x + F(N(x))."""


class post(Decoder):
    """N(x + F(x)), arXiv 1706.03762."""

    def layer(self, x):
        x = self.norm("attn_norm", x + self.attention(x))
        return self.norm("mlp_norm", x + self.mlp(x))

    def head(self, x):
        return self.linear("unembed", x, self.VOCAB)


class deepnorm(post):
    """N(αx + F(x)) with α = (2N)^¼ for a decoder of N layers, arXiv 2203.00555."""

    def layer(self, x):
        alpha = (2 * self.LAYERS) ** 0.25
        x = self.norm("attn_norm", alpha * x + self.attention(x))
        return self.norm("mlp_norm", alpha * x + self.mlp(x))


class peri(Decoder):
    """x + N_out(F(N_in(x))), arXiv 2502.02732."""

    def layer(self, x):
        x = x + self.norm("attn_out_norm", self.attention(self.norm("attn_norm", x)))
        return x + self.norm("mlp_out_norm", self.mlp(self.norm("mlp_norm", x)))


class reordered(Decoder):
    """x + N(F(x)), queries and keys normalised over all heads, arXiv 2501.00656."""

    def layer(self, x):
        x = x + self.norm("attn_norm", self.attention(x))
        return x + self.norm("mlp_norm", self.mlp(x))

    def project(self, name, x, heads):
        y = super().project(name, x, heads)
        if name.endswith(".v"):
            return y
        return self.gain(f"{name}.out_scale", heads, self.HEAD_DIM) * self.rms(y, dims=2)


class parallel(Decoder):
    """x + A(N(x)) + F(N(x)), as in GPT-J."""

    def layer(self, x):
        n = self.norm("norm", x)
        return x + self.attention(n) + self.mlp(n)


class parallel_two(Decoder):
    """x + A(N_1(x)) + F(N_2(x)), as in GPT-NeoX."""

    def layer(self, x):
        return x + self.attention(self.norm("attn_norm", x)) + self.mlp(self.norm("mlp_norm", x))


class hybrid(Decoder):
    """y = x + A(x) with N on q, k and v; N(y) + F(N(y)), arXiv 2503.04598."""

    def layer(self, x):
        n = self.norm("mlp_norm", x + self.attention(x))
        return n + self.mlp(n)

    def project(self, name, x, heads):
        return self.gain(f"{name}.out_scale", self.HEAD_DIM) * self.rms(super().project(name, x, heads))


class keel(post):
    """N(αx + F(N(x))), arXiv 2601.19895."""

    def layer(self, x):
        alpha = 2 * self.LAYERS
        x = self.norm("attn_out_norm", alpha * x + self.attention(self.norm("attn_norm", x)))
        return self.norm("mlp_out_norm", alpha * x + self.mlp(self.norm("mlp_norm", x)))


class sub_ln(Decoder):
    """A second norm before the last map of each block, arXiv 2210.06423."""

    def gathered(self, name, context):
        gain = self.gain(f"{name}.in_scale", self.HEADS, self.HEAD_DIM)
        return super().gathered(name, gain * self.rms(context, dims=2))

    def down(self, name, x):
        return super().down(name, self.gain(f"{name}.in_scale", self.HIDDEN) * self.rms(x))


class depth_scaled(Decoder):
    """N(x) / √l in layer l, counted from 1, arXiv 2502.05795."""

    def norm(self, name, x):
        depth = 1 if self.index is None else self.index + 1
        return super().norm(name, x) / depth**0.5


class layer_scale(Decoder):
    """x + λ ⊙ F(N(x)), arXiv 2103.17239."""

    def layer(self, x):
        x = x + self.vector("attn_gain.scale", self.WIDTH, around=0.1) * self.attention(self.norm("attn_norm", x))
        return x + self.vector("mlp_gain.scale", self.WIDTH, around=0.1) * self.mlp(self.norm("mlp_norm", x))


class rezero(Decoder):
    """x + λ F(x) with a number λ, arXiv 2003.04887."""

    def layer(self, x):
        x = x + self.vector("attn_gain.scale", around=0.0) * self.attention(x)
        return x + self.vector("mlp_gain.scale", around=0.0) * self.mlp(x)


class normformer(Decoder):
    """A gain per head, LN after the attention, LN after the first map and its activation, arXiv 2110.09456."""

    def norm(self, name, x):
        return self.bias(name, self.gain(f"{name}.scale", x.shape[-1]) * self.standardise(x))

    def layer(self, x):
        x = x + self.norm("attn_out_norm", self.attention(self.norm("attn_norm", x)))
        n = self.norm("ffn_norm", x)
        y = F.gelu(self.bias("ffn.up", self.linear("ffn.up", n, 4 * self.WIDTH)))
        y = self.gain("ffn.down.in_scale", y.shape[-1]) * self.standardise(y)
        y = y + self.vector("ffn.down.in_bias", y.shape[-1], around=0.0)
        return x + self.bias("ffn.down", self.linear("ffn.down", y, self.WIDTH))

    def project(self, name, x, heads):
        return self.bias(name, super().project(name, x, heads), heads, self.HEAD_DIM)

    def gathered(self, name, context):
        gain = self.gain(f"{name}.in_scale", self.HEADS, 1)
        return self.bias(name, super().gathered(name, gain * context))
