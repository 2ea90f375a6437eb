"""What a norm computes, and what may stand in its place."""

import torch
from decoder import Decoder, VECTOR_NOISE


class layer_norms(Decoder):
    """γ ⊙ (x − mean) / √(var + ε) + b, arXiv 1607.06450."""

    def norm(self, name, x):
        return self.bias(name, self.gain(f"{name}.scale", self.WIDTH) * self.standardise(x))


class layer_norms_no_bias(Decoder):
    """Without b."""

    def norm(self, name, x):
        return self.gain(f"{name}.scale", self.WIDTH) * self.standardise(x)


class layer_norms_plain(Decoder):
    """Without γ and b."""

    def norm(self, name, x):
        return self.standardise(x)


class zero_centred(Decoder):
    """γ = 1 + g."""

    def gain(self, name, *shape):
        return 1 + self.vector(name, *shape, around=0.0)


class dynamic_tanh(Decoder):
    """γ ⊙ tanh(αx) + b, arXiv 2503.10622."""

    def norm(self, name, x):
        y = torch.tanh(self.vector(f"{name}.slope.scale", around=0.5) * x)
        return self.bias(f"{name}.shift", self.vector(f"{name}.gain.scale", self.WIDTH) * y)


class self_rescaled(Decoder):
    """[tanh(x · β) α + γ] ⊙ x / RMS(x): SeeDNorm."""

    def norm(self, name, x):
        beta = self.matrix(f"{name}.dot.weight", 1, self.WIDTH, fan_in=self.WIDTH)
        alpha = self.vector(f"{name}.alpha.scale", self.WIDTH)
        gamma = self.vector(f"{name}.gamma.scale", self.WIDTH)
        return (torch.tanh((x * beta[0]).sum(-1, keepdim=True)) * alpha + gamma) * self.rms(x)


class scale_norm(Decoder):
    """g x / |x| with a number g = γ √d, arXiv 1910.05895; its floor under |x| is ε under the root here."""

    def norm(self, name, x):
        g = self.vector(f"{name}.scale") * self.WIDTH**0.5
        return g * x / torch.sqrt(x.pow(2).sum(-1, keepdim=True) + self.WIDTH * self.EPS)


class no_scales(Decoder):
    """x / RMS(x) alone."""

    def norm(self, name, x):
        return self.rms(x)


class magnitude_direction(Decoder):
    """OR of arXiv 2605.26895: γ = β α / RMS(α)."""

    def gain(self, name, *shape):
        alpha = self.vector(f"{name}.direction", *shape)
        return self.vector(f"{name}.magnitude") * alpha / alpha.pow(2).mean().sqrt()


class exp_magnitude_direction(Decoder):
    """ER of arXiv 2605.26895: γ = exp(β) exp(α − mean(α))."""

    def gain(self, name, *shape):
        alpha = self.vector(f"{name}.direction", *shape, around=0.0)
        return torch.exp(self.vector(f"{name}.magnitude", around=0.0) + alpha - alpha.mean())


class hg(no_scales):
    """A vector for each branch that reads a norm, arXiv 2605.26895."""

    def norm(self, name, x):
        n = self.rms(x)
        return self.gain("final_norm.scale", self.WIDTH) * n if name == "final_norm" else n

    def project(self, name, x, heads):
        return super().project(name, self.gain(f"{name}.in_scale", self.WIDTH) * x, heads)

    def hidden(self, name, x):
        return super().hidden(name, self.gain(f"{name}.in_scale", self.WIDTH) * x)


class dp(hg):
    """γ_out ⊙ W(γ_in ⊙ n)."""

    def project(self, name, x, heads):
        return self.gain(f"{name}.out_scale", heads, self.HEAD_DIM) * super().project(name, x, heads)

    def hidden(self, name, x):
        return self.gain(f"{name}.out_scale", self.HIDDEN) * super().hidden(name, x)


class dnp(hg):
    """γ_out ⊙ N(W(γ_in ⊙ n)), head by head in the attention."""

    def project(self, name, x, heads):
        return self.gain(f"{name}.out_scale", self.HEAD_DIM) * self.rms(super().project(name, x, heads))

    def hidden(self, name, x):
        return self.gain(f"{name}.out_scale", self.HIDDEN) * self.rms(super().hidden(name, x))


class dnp_full(dnp):
    """Over all heads together."""

    def project(self, name, x, heads):
        y = hg.project(self, name, x, heads)
        return self.gain(f"{name}.out_scale", heads, self.HEAD_DIM) * self.rms(y, dims=2)


class unified(dnp, magnitude_direction):
    """HG, DNP and OR together."""
