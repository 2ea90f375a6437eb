"""What stands in the feed-forward block."""

import torch
import torch.nn.functional as F
from decoder import Decoder


class gated_gelu(Decoder):
    """down(gelu(gate(x)) ⊙ up(x)), arXiv 2002.05202, with the tanh approximation."""

    def activation(self, x):
        return F.gelu(x, approximate="tanh")


class gelu_exact(Decoder):
    """down(gelu(up(x))), arXiv 1606.08415."""

    def mlp(self, x, name="mlp"):
        y = self.activation(self.linear(f"{name}.up", x, 4 * self.WIDTH))
        return self.linear(f"{name}.down", y, self.WIDTH)

    def activation(self, x):
        return x * 0.5 * (1 + torch.erf(x / 2**0.5))


class gelu_biased(gelu_exact):
    """A bias on every map, and gelu by its tanh."""

    def activation(self, x):
        return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))

    def mlp(self, x, name="mlp"):
        y = self.activation(self.bias(f"{name}.up", self.linear(f"{name}.up", x, 4 * self.WIDTH)))
        return self.bias(f"{name}.down", self.linear(f"{name}.down", y, self.WIDTH))

    def project(self, name, x, heads):
        return self.bias(name, super().project(name, x, heads), heads, self.HEAD_DIM)

    def gathered(self, name, context):
        return self.bias(name, super().gathered(name, context))


class relu_squared(gelu_exact):
    """max(x, 0)², arXiv 2109.08668."""

    def activation(self, x):
        return x.clamp(min=0).square()


class shared_expert(Decoder):
    """One dense layer, then the best two of eight experts by sigmoid of their logits, and one for all tokens."""

    EXPERTS, TOP_K, EXPERT_HIDDEN, SHARED_HIDDEN, SCALE = 8, 2, 10, 12, 2.5

    def layer(self, x):
        if self.index == 0:
            return super().layer(x)
        x = x + self.attention(self.norm("attn_norm", x))
        n = self.norm("mlp_norm", x)
        return x + self.experts(n) + self.shared(n)

    def shared(self, n):
        gate = self.linear("shared.gate", n, self.SHARED_HIDDEN)
        return self.linear("shared.down", F.silu(gate) * self.linear("shared.up", n, self.SHARED_HIDDEN), self.WIDTH)

    def experts(self, n):
        d, f = self.WIDTH, self.EXPERT_HIDDEN
        score = torch.sigmoid(n @ self.matrix("experts.router.weight", self.EXPERTS, d, fan_in=d).T)
        gate = self.matrix("experts.gate.weight", self.EXPERTS, f, d, fan_in=d)
        up = self.matrix("experts.up.weight", self.EXPERTS, f, d, fan_in=d)
        down = self.matrix("experts.down.weight", self.EXPERTS, d, f, fan_in=f)
        # Every expert on every token; those that are not chosen weigh nothing.
        hidden = F.silu(torch.einsum("btd,efd->btef", n, gate)) * torch.einsum("btd,efd->btef", n, up)
        results = torch.einsum("btef,edf->bted", hidden, down)
        chosen = torch.zeros_like(score).scatter(-1, score.topk(self.TOP_K).indices, 1.0)
        weight = score * chosen
        weight = self.SCALE * weight / weight.sum(-1, keepdim=True)
        return (weight[..., None] * results).sum(-2)
