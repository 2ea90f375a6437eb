"""50 steps of PyTorch's optimizers on given gradients, one parameter group for each setting.

usage: optimizers.py OUT.safetensors

OUT gets, for each parameter NAME, `initial.NAME`, `gradient.NAME` (a row for each step), and the parameter after some of
the steps: `f32.NAME` as PyTorch computes it, `f64.NAME` in double precision. Besides: `lr` and `decay`, what a schedule
would multiply each step's rate and decay by; `norm`, the clipped groups' norm before clipping; `steps`, which steps those
are. Decay is decoupled in all: PyTorch's AdamW and Muon have it so, and SGD's own is left off for a factor on the weights.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.optim import SGD, AdamW, Muon, _muon

NUM_STEPS = 50
KEPT = [1, 2, 5, 10, 20, 50]
MAX_NORM = 1.0


def matrices(tensor, axis):
    """The matrices that are stacked along an axis, as views."""
    return [tensor.select(axis, index) for index in range(tensor.shape[axis])]


def whole(out_axes):
    """One matrix; the leading axes are its outputs."""
    return lambda tensor: [tensor.view(tensor.shape[:out_axes].numel(), -1)]


ADAMW = dict(lr=1e-2, betas=(0.9, 0.95), eps=1e-8)
MUON = dict(lr=1e-2, momentum=0.95, nesterov=True, ns_steps=5, adjust_lr_fn="match_rms_adamw")
HEADS = dict(lr=2e-2, momentum=0.9, nesterov=False, ns_steps=5, adjust_lr_fn="original")

# Name, shape, algorithm, its settings, decay, whether it is clipped, and how Muon reads it.
PARAMETERS = [
    ("adamw.matrix", (5, 4), AdamW, ADAMW, 0.1, True, None),
    ("adamw.vector", (7,), AdamW, ADAMW, 0.1, True, None),
    ("betas.table", (4, 3), AdamW, dict(lr=5e-3, betas=(0.8, 0.99), eps=1e-6), 0.0, False, None),
    ("muon.wide", (6, 15), Muon, MUON, 0.1, True, whole(1)),
    ("muon.tall", (15, 6), Muon, MUON, 0.1, True, whole(1)),
    ("muon.q", (2, 3, 8), Muon, MUON, 0.1, True, whole(2)),
    ("heads.q", (2, 3, 8), Muon, HEADS, 0.0, True, lambda tensor: matrices(tensor, 0)),
    ("heads.o", (8, 2, 3), Muon, HEADS, 0.0, True, lambda tensor: matrices(tensor, 1)),
    ("experts.up", (3, 4, 7), Muon, MUON | dict(lr=5e-3), 0.2, False, lambda tensor: matrices(tensor, 0)),
    ("sgd.plain", (6,), SGD, dict(lr=1e-1), 0.1, True, None),
    ("sgd.heavy", (6,), SGD, dict(lr=5e-2, momentum=0.9), 0.0, True, None),
    ("sgd.nesterov", (6,), SGD, dict(lr=5e-2, momentum=0.8, nesterov=True), 0.3, False, None),
]


def in_double(grad, coefficients, num_steps, eps):
    """PyTorch's Newton-Schulz iteration without its cast to bf16."""
    a, b, c = coefficients
    x = grad.double()
    is_tall = x.size(0) > x.size(1)
    x = x.T if is_tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(num_steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if is_tall else x


def trace(initial, gradients, lr, decay, dtype):
    """The parameters after the steps that are kept, and the norm in each step."""
    values, optimizers = {}, []
    for name, _, algorithm, settings, weight_decay, is_clipped, split in PARAMETERS:
        value = initial[name].to(dtype).clone()
        values[name] = value
        # Views of the value: a step in place on one changes it.
        leaves = [torch.nn.Parameter(view) for view in (split(value) if split else [value])]
        own = {} if algorithm is SGD else dict(weight_decay=weight_decay)
        if algorithm is AdamW:
            own["fused"] = True
        optimizers.append((name, leaves, split, algorithm(leaves, **settings, **own), settings, weight_decay, is_clipped))
    kept, norms = {name: [] for name in values}, []
    for step in range(NUM_STEPS):
        clipped = []
        for name, leaves, split, _, _, _, is_clipped in optimizers:
            gradient = gradients[name][step].to(dtype)
            for leaf, part in zip(leaves, split(gradient) if split else [gradient]):
                leaf.grad = part.clone()
            clipped += leaves if is_clipped else []
        norms.append(torch.nn.utils.clip_grad_norm_(clipped, MAX_NORM))
        for _, leaves, _, optimizer, settings, weight_decay, _ in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = settings["lr"] * lr[step].item()
                if isinstance(optimizer, SGD):
                    for leaf in leaves:
                        leaf.data.mul_(1 - group["lr"] * weight_decay * decay[step].item())
                else:
                    group["weight_decay"] = weight_decay * decay[step].item()
            optimizer.step()
        if step + 1 in KEPT:
            for name, value in values.items():
                kept[name].append(value.clone())
    return {name: torch.stack(values) for name, values in kept.items()}, torch.stack(norms)


def main(out: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    initial = {name: torch.randn(shape) * 0.3 for name, shape, *_ in PARAMETERS}
    # Norms below and above the largest allowed.
    size = torch.linspace(0.01, 0.2, NUM_STEPS)
    gradients = {
        name: torch.randn(NUM_STEPS, *shape) * size.view(-1, *[1] * len(shape)) for name, shape, *_ in PARAMETERS
    }
    steps = torch.arange(1, NUM_STEPS + 1, dtype=torch.float64)
    lr = torch.minimum(steps / 5, (1 - (steps - 5) / 60).clamp(max=1.0))
    decay = 1 - steps / 100
    tensors = {"lr": lr, "decay": decay, "steps": torch.tensor(KEPT)}
    tensors |= {f"initial.{name}": value for name, value in initial.items()}
    tensors |= {f"gradient.{name}": value for name, value in gradients.items()}
    single, tensors["norm"] = trace(initial, gradients, lr, decay, torch.float32)
    _muon._zeropower_via_newtonschulz = in_double
    double, _ = trace(initial, gradients, lr, decay, torch.float64)
    tensors |= {f"f32.{name}": value for name, value in single.items()}
    tensors |= {f"f64.{name}": value for name, value in double.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
