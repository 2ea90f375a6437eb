"""A small pre-norm decoder in plain PyTorch, written so that a technique is a subclass that says what differs.

Shape letters: b sequence, t and u token, d width, h head, k channel of a head, f hidden channel, v token of the vocabulary.
"""

import math

import torch
import torch.nn.functional as F

SEED = 20
# Where gains are 1 and biases 0, an error in either is not seen: they are moved away.
VECTOR_NOISE = 0.2


class Decoder:
    """Pre-norm: x + F(N(x)), with RMS norms, rotary attention whose keys are shared, and a gated feed-forward block."""

    VOCAB, CONTEXT, WIDTH, HEADS, KV_HEADS, HEAD_DIM, HIDDEN, LAYERS = 41, 12, 16, 4, 2, 6, 20, 2
    EPS = 1e-5
    ROPE_BASE, ROTATED = 10_000.0, HEAD_DIM
    # The largest norm of the gradient; tensors whose name ends so do not count in it.
    CLIP, UNCLIPPED = None, ()

    def __init__(self):
        self.tensors: dict[str, torch.Tensor] = {}
        self.index: int | None = None
        self.random = torch.Generator().manual_seed(SEED)

    # Parameters: made when they are first asked for, in the layer that asks.

    def parameter(self, name: str, make) -> torch.Tensor:
        name = name if self.index is None else f"layers.{self.index}.{name}"
        if name not in self.tensors:
            # As f32, which is what is saved, holds them.
            self.tensors[name] = make().float().double().requires_grad_()
        return self.tensors[name]

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self.random)

    def matrix(self, name: str, *shape: int, fan_in: int) -> torch.Tensor:
        return self.parameter(name, lambda: self.normal(*shape) * fan_in**-0.5)

    def vector(self, name: str, *shape: int, around: float = 1.0) -> torch.Tensor:
        return self.parameter(name, lambda: around + VECTOR_NOISE * self.normal(*shape))

    def gain(self, name: str, *shape: int) -> torch.Tensor:
        """The scale vector γ of that name."""
        return self.vector(name, *shape)

    # Building blocks.

    def rms(self, x: torch.Tensor, dims: int = 1) -> torch.Tensor:
        """x / RMS(x) over the last dims axes."""
        axes = tuple(range(-dims, 0))
        return x / torch.sqrt(x.pow(2).mean(axes, keepdim=True) + self.EPS)

    def standardise(self, x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + self.EPS)

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return self.gain(f"{name}.scale", x.shape[-1]) * self.rms(x)

    def linear(self, name: str, x: torch.Tensor, out: int) -> torch.Tensor:
        return self.map(name, x, (out,))

    def map(self, name: str, x: torch.Tensor, out: tuple, axes: int = 1) -> torch.Tensor:
        """The linear map of the last axes of x to the axes out."""
        inputs = tuple(x.shape[-axes:])
        weight = self.matrix(f"{name}.weight", *out, *inputs, fan_in=math.prod(inputs))
        return torch.tensordot(x, weight, dims=(list(range(-axes, 0)), list(range(len(out), len(out) + axes))))

    def bias(self, name: str, x: torch.Tensor, *shape: int) -> torch.Tensor:
        return x + self.vector(f"{name}.bias", *(shape or x.shape[-1:]), around=0.0)

    # The attention, in steps that techniques change.

    def attention(self, x_btd: torch.Tensor, name: str = "attn") -> torch.Tensor:
        q_bthk = self.project(f"{name}.q", x_btd, self.HEADS)
        k_bthk = self.project(f"{name}.k", x_btd, self.KV_HEADS)
        v_bthk = self.project(f"{name}.v", x_btd, self.KV_HEADS)
        q_bthk, k_bthk = self.rotate(q_bthk, name), self.rotate(k_bthk, name)
        repeats = q_bthk.shape[2] // k_bthk.shape[2]
        k_bthk, v_bthk = (y.repeat_interleave(repeats, dim=2) for y in (k_bthk, v_bthk))
        scores_bhtu = self.score_scale() * torch.einsum("bthk,buhk->bhtu", q_bthk, k_bthk)
        scores_bhtu = self.bounded(scores_bhtu).masked_fill(~self.visible(x_btd.shape[1], name), -math.inf)
        shares_bhtu = self.shares(scores_bhtu, name)
        context_bthk = torch.einsum("bhtu,buhk->bthk", shares_bhtu, v_bthk)
        return self.gathered(f"{name}.o", context_bthk)

    def project(self, name: str, x_btd: torch.Tensor, heads: int) -> torch.Tensor:
        return self.map(name, x_btd, (heads, self.HEAD_DIM))

    def gathered(self, name: str, context_bthk: torch.Tensor) -> torch.Tensor:
        return self.map(name, context_bthk, (self.WIDTH,), axes=2)

    def score_scale(self) -> float:
        return self.HEAD_DIM**-0.5

    def bounded(self, scores: torch.Tensor) -> torch.Tensor:
        return scores

    def visible(self, time: int, name: str) -> torch.Tensor:
        return torch.ones(time, time, dtype=torch.bool).tril()

    def shares(self, scores_bhtu: torch.Tensor, name: str) -> torch.Tensor:
        return torch.softmax(scores_bhtu, dim=-1)

    def frequencies(self, name: str) -> torch.Tensor:
        """Radians per token of each pair."""
        return self.ROPE_BASE ** (-torch.arange(0, self.ROTATED, 2) / self.ROTATED)

    def rotate(self, x_bthk: torch.Tensor, name: str) -> torch.Tensor:
        """The complex number that channels i and i + half make, turned by its angle."""
        turned, kept = x_bthk[..., : self.ROTATED], x_bthk[..., self.ROTATED :]
        angle_tk = torch.arange(x_bthk.shape[1])[:, None] * self.frequencies(name)
        half = self.ROTATED // 2
        pairs = torch.complex(turned[..., :half], turned[..., half:])
        pairs = pairs * torch.polar(torch.ones_like(angle_tk), angle_tk)[None, :, None, :]
        return torch.cat([pairs.real, pairs.imag, kept], dim=-1)

    def mlp(self, x_btd: torch.Tensor, name: str = "mlp") -> torch.Tensor:
        gate_btf = self.hidden(f"{name}.gate", x_btd)
        up_btf = self.hidden(f"{name}.up", x_btd)
        return self.down(f"{name}.down", self.activation(gate_btf) * up_btf)

    def hidden(self, name: str, x_btd: torch.Tensor) -> torch.Tensor:
        return self.linear(name, x_btd, self.HIDDEN)

    def down(self, name: str, x_btf: torch.Tensor) -> torch.Tensor:
        return self.linear(name, x_btf, self.WIDTH)

    def activation(self, x: torch.Tensor) -> torch.Tensor:
        return F.silu(x)

    # The model.

    def embed(self, tokens_bt: torch.Tensor) -> torch.Tensor:
        return self.matrix("embed.weight", self.VOCAB, self.WIDTH, fan_in=self.WIDTH)[tokens_bt]

    def layer(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm("attn_norm", x))
        return x + self.mlp(self.norm("mlp_norm", x))

    def head(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear("unembed", self.norm("final_norm", x), self.VOCAB)

    def logits(self, tokens_bt: torch.Tensor) -> torch.Tensor:
        x_btd = self.embed(tokens_bt)
        for self.index in range(self.LAYERS):
            x_btd = self.layer(x_btd)
        self.index = None
        return self.head(x_btd)

    def loss(self, tokens_bt: torch.Tensor, targets_bt: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits_btv = self.logits(tokens_bt)
        return logits_btv, F.cross_entropy(logits_btv.flatten(0, 1), targets_bt.flatten())

    def rate(self, name: str, tensor: torch.Tensor) -> float:
        """What multiplies the learning rate of a parameter."""
        return 1.0

    def after_step(self) -> None:
        """What happens to the parameters after the optimizer's step."""
