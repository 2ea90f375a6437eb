"""Techniques in plain PyTorch to reference files.

usage: techniques.py OUT [NAME...]

The modules of the folder techniques/ hold a class for each technique, written from the equations of its paper; NAME_tiny of
techniques/techniques.svspec is to compute the same. OUT/NAME gets

  model.safetensors      random parameters, under the names of svspec
  reference.safetensors  as reference.py says

All in f64 on the CPU, saved in f32.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent / "techniques"))

import attention
import feed_forward
import ngpt
import norms
import placements
import scaling
from decoder import Decoder

BATCH, STEPS = 2, 8
# The optimizer of every case's spec.
ADAMW = {"lr": 1e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
# Words that Python or a base class has taken.
NAMES = {norms.magnitude_direction: "or", norms.exp_magnitude_direction: "er"}


def techniques() -> dict[str, type[Decoder]]:
    found = {}
    for module in (placements, norms, attention, feed_forward, scaling, ngpt):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                found[NAMES.get(kind, name)] = kind
    return found


def reference(model: Decoder, random: torch.Generator) -> tuple[dict, dict]:
    draw = lambda *shape: torch.randint(0, model.VOCAB, (*shape, BATCH, model.CONTEXT), generator=random)
    found = {"tokens": draw(), "targets": draw()}
    # Parameters are made when they are first asked for.
    model.loss(found["tokens"], found["targets"])
    model.after_step()
    logits, loss = model.loss(found["tokens"], found["targets"])
    saved = {name: tensor.detach().clone() for name, tensor in model.tensors.items()}
    loss.backward()
    found |= {"logits": logits.detach(), "loss": loss.detach()}
    found |= {f"gradient.{name}": tensor.grad.clone() for name, tensor in model.tensors.items()}
    found["trajectory.tokens"], found["trajectory.targets"] = draw(STEPS), draw(STEPS)
    found["trajectory.losses"] = trajectory(model, found["trajectory.tokens"], found["trajectory.targets"])
    return saved, found


def trajectory(model: Decoder, tokens_sbt: torch.Tensor, targets_sbt: torch.Tensor) -> torch.Tensor:
    """The loss of each step, before its update."""
    groups = [
        {"params": [tensor], "lr": ADAMW["lr"] * model.rate(name, tensor)} for name, tensor in model.tensors.items()
    ]
    optimizer = torch.optim.AdamW(groups, **ADAMW)
    clipped = [tensor for name, tensor in model.tensors.items() if not name.endswith(model.UNCLIPPED)]
    losses = []
    for tokens_bt, targets_bt in zip(tokens_sbt, targets_sbt):
        optimizer.zero_grad()
        _, loss = model.loss(tokens_bt, targets_bt)
        loss.backward()
        if model.CLIP is not None:
            torch.nn.utils.clip_grad_norm_(clipped, model.CLIP)
        optimizer.step()
        model.after_step()
        losses.append(loss.detach())
    return torch.stack(losses)


def save(tensors: dict[str, torch.Tensor], file: Path) -> None:
    in_f32 = lambda tensor: tensor.float() if tensor.is_floating_point() else tensor
    save_file({name: in_f32(tensor.detach()).contiguous() for name, tensor in tensors.items()}, file)


def main(out: Path, names: list[str]) -> None:
    torch.use_deterministic_algorithms(True)
    torch.set_default_dtype(torch.float64)
    known = techniques()
    if unknown := set(names) - set(known):
        sys.exit(f"no technique {', '.join(sorted(unknown))}")
    for name in names or sorted(known):
        model = known[name]()
        saved, found = reference(model, torch.Generator().manual_seed(1))
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        save(saved, folder / "model.safetensors")
        save(found, folder / "reference.safetensors")
        losses = found["trajectory.losses"]
        print(f"{name}: {len(saved)} tensors, loss {found['loss']:.4f}, after {STEPS} steps {losses[-1]:.4f}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
