"""Folders that `svc export` wrote to the logits that transformers computes with them.

usage: exported.py FOLDER...

Each FOLDER holds a model and tokens.safetensors, `tokens` [batch, time]; it gets logits.safetensors, `logits`. A tensor
that the model lacks, or does not know, is an error. Weights that were written in bf16 must be those of the folder of the
same name without its `_bf16`, rounded.
"""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM


def load(folder: Path) -> torch.nn.Module:
    model, info = AutoModelForCausalLM.from_pretrained(
        folder,
        output_loading_info=True,
        attn_implementation="eager",
        experts_implementation="eager",
        dtype="auto",
    )
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if info[what]:
            sys.exit(f"{folder.name}: {what}: {sorted(map(str, info[what]))}")
    return model.eval()


def check_rounded(model: torch.nn.Module, exact: torch.nn.Module, name: str) -> None:
    wanted = exact.state_dict()
    for key, tensor in model.state_dict().items():
        if tensor.dtype != torch.bfloat16 or not torch.equal(tensor, wanted[key].to(torch.bfloat16)):
            sys.exit(f"{name}: {key} is not the rounded tensor")


@torch.no_grad()
def main(folders: list[Path]) -> None:
    for folder in folders:
        model = load(folder)
        if folder.name.endswith("_bf16"):
            check_rounded(model, load(folder.with_name(folder.name.removesuffix("_bf16"))), folder.name)
        tokens = load_file(folder / "tokens.safetensors")["tokens"]
        logits = model(input_ids=tokens, use_cache=False).logits
        save_file({"logits": logits.float().contiguous()}, folder / "logits.safetensors")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main([Path(folder) for folder in sys.argv[1:]])
