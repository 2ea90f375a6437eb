"""The normalised transformer, arXiv 2410.01131."""

import torch
import torch.nn.functional as F
from decoder import Decoder


def unit(x, axes=-1):
    return x / x.pow(2).sum(axes, keepdim=True).sqrt()


class ngpt(Decoder):
    """h ← N(h + α ⊙ (N(F(h)) − h)) with N(x) = x / |x|; q ← N(q) s_qk, k ← N(k) s_qk; every matrix of norm 1 along the width."""

    KV_HEADS = Decoder.HEADS

    def scaled(self, name, *shape, init, scale):
        """s = s_init / s_scale · s_param, and s_param is s_scale at first, here around it."""
        return init / scale * self.parameter(f"{name}.vector.scale", lambda: scale * (1 + 0.2 * self.normal(*shape)))

    def slow(self, name, *shape, init):
        return self.scaled(name, *shape, init=init, scale=self.WIDTH**-0.5)

    def rotate(self, x_bthk, name):
        """After the rotation, which leaves norms as they are; values are not rotated."""
        s_qk = self.slow(f"{name}.s_qk", self.HEADS, self.HEAD_DIM, init=1)
        return s_qk * unit(super().rotate(x_bthk, name))

    def score_scale(self):
        return self.HEAD_DIM**0.5

    def feed_forward(self, x):
        u = self.scaled("ffn.s_u", self.HIDDEN, init=1, scale=1) * self.linear("ffn.up", x, self.HIDDEN)
        v = self.scaled("ffn.s_v", self.HIDDEN, init=1, scale=1) * self.linear("ffn.gate", x, self.HIDDEN)
        return self.linear("ffn.down", u * F.silu(v * self.WIDTH**0.5), self.WIDTH)

    def layer(self, x):
        a = unit(self.attention(x, "self_attn"))
        x = unit(x + self.slow("attn_step", self.WIDTH, init=0.05) * (a - x))
        m = unit(self.feed_forward(x))
        return unit(x + self.slow("ffn_step", self.WIDTH, init=0.05) * (m - x))

    def head(self, x):
        return self.slow("s_z", self.VOCAB, init=1) * self.linear("unembed", x, self.VOCAB)

    @torch.no_grad()
    def after_step(self):
        for name, tensor in self.tensors.items():
            if name.endswith("weight"):
                tensor.copy_(unit(tensor, 0 if name.endswith((".o.weight", ".down.weight")) else -1))
