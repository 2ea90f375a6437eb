"""A family's config.json to what transformers computes with it: model.safetensors and reference.safetensors.

usage: reference.py FAMILIES OUT [NAME...]

For each folder FAMILIES/NAME with a config.json, OUT/NAME gets

  model.safetensors      the random weights, as transformers saves them
  reference.safetensors  tokens, targets [batch, time]; logits, loss; gradient.TENSOR for every tensor that is trained;
                         trajectory.tokens, trajectory.targets [steps, batch, time]; trajectory.losses [steps]

All in f32 on the CPU, with attention written out ("eager"). Nothing here depends on a family: the configuration says it all.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.core_model_loading import revert_weight_conversion

SEED = 20
BATCH, TIME, STEPS = 2, 16, 20
# The optimizer of every case's spec.
ADAMW = {"lr": 1e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
# Where gains are 1 and biases 0, an error in either is not seen: they are moved away.
VECTOR_NOISE = 0.2


def build(config_file: Path) -> torch.nn.Module:
    settings = json.loads(config_file.read_text())
    # A padding id would leave its row of the table untrained where it is looked up.
    settings.setdefault("pad_token_id", None)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    torch.manual_seed(SEED)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", experts_implementation="eager", dtype=torch.float32)
    # Not training: dropout off.
    model.eval()
    randomise(model)
    return model


@torch.no_grad()
def randomise(model: torch.nn.Module) -> None:
    saved = model.state_dict().keys()
    buffers = [(name, buffer) for name, buffer in model.named_buffers() if name in saved]
    for _, tensor in list(model.named_parameters()) + buffers:
        # A number that is saved and not learned is a constant.
        is_constant = tensor.dim() == 0 and not tensor.requires_grad
        if is_constant or not tensor.is_floating_point():
            continue
        if tensor.dim() >= 2:
            tensor.normal_(0.0, tensor.shape[-1] ** -0.5)
        else:
            tensor.add_(torch.randn_like(tensor), alpha=VECTOR_NOISE)


def loss_of(model: torch.nn.Module, tokens_bt: torch.Tensor, targets_bt: torch.Tensor):
    """The logits, the cross-entropy, and what is minimised: with the routers' loss where the configuration asks for it."""
    out = model(input_ids=tokens_bt, use_cache=False)
    loss = F.cross_entropy(out.logits.flatten(0, 1), targets_bt.flatten())
    if getattr(out, "aux_loss", None) is None:
        return out.logits, loss, loss
    return out.logits, loss, loss + model.config.router_aux_loss_coef * out.aux_loss


def reference(model: torch.nn.Module, vocab: int) -> dict[str, torch.Tensor]:
    draw = lambda *shape: torch.randint(0, vocab, shape)
    found = {"tokens": draw(BATCH, TIME), "targets": draw(BATCH, TIME)}
    logits_btv, loss, minimised = loss_of(model, found["tokens"], found["targets"])
    minimised.backward()
    found |= {"logits": logits_btv.detach(), "loss": loss.detach()}
    found |= {f"gradient.{name}": gradient for name, gradient in gradients(model).items()}

    found["trajectory.tokens"] = draw(STEPS, BATCH, TIME)
    found["trajectory.targets"] = draw(STEPS, BATCH, TIME)
    found["trajectory.losses"] = trajectory(model, found["trajectory.tokens"], found["trajectory.targets"])
    return {name: tensor.contiguous() for name, tensor in found.items()}


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The gradient of every tensor under the name, and in the layout, that it is saved in."""
    zeros = torch.zeros_like
    of = lambda parameter: zeros(parameter) if parameter.grad is None else parameter.grad.clone()
    return revert_weight_conversion(model, {name: of(parameter) for name, parameter in model.named_parameters()})


def trajectory(model: torch.nn.Module, tokens_sbt: torch.Tensor, targets_sbt: torch.Tensor) -> torch.Tensor:
    """The loss of each step, before its update."""
    optimizer = torch.optim.AdamW(model.parameters(), **ADAMW)
    losses = []
    for tokens_bt, targets_bt in zip(tokens_sbt, targets_sbt):
        optimizer.zero_grad(set_to_none=False)
        _, loss, minimised = loss_of(model, tokens_bt, targets_bt)
        minimised.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def main(families: Path, out: Path, names: list[str]) -> None:
    torch.use_deterministic_algorithms(True)
    configs = sorted(families.glob("*/config.json"))
    unknown = set(names) - {config.parent.name for config in configs}
    if unknown:
        sys.exit(f"no family {', '.join(sorted(unknown))} with a config.json in {families}")
    for config in configs:
        name = config.parent.name
        if names and name not in names:
            continue
        model = build(config)
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        save(model, folder / "model.safetensors")
        found = reference(model, model.config.vocab_size)
        save_file(found, folder / "reference.safetensors")
        print(f"{name}: {model.num_parameters():,} parameters, loss {found['loss']:.4f}, "
              f"after {STEPS} steps {found['trajectory.losses'][-1]:.4f}")


def save(model: torch.nn.Module, file: Path) -> None:
    """The file alone, as `save_pretrained` names and lays out its tensors: the folder may be that of config.json."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        shutil.copyfile(Path(folder) / file.name, file)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
