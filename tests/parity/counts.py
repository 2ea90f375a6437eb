"""Full-size configurations to the number of parameters that transformers gives each, without allocating them.

usage: counts.py FAMILIES OUT.json

FAMILIES/NAME/full_size.json holds, for the targets of specs/NAME.svspec, the configuration that each is. OUT.json gets
{NAME: {target: parameters}}; a tied head counts once, and so does what is saved and moved by no gradient, such as the vectors
that correct a choice of experts.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import AutoConfig, AutoModelForCausalLM


def count(settings: dict) -> int:
    settings = dict(settings)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    saved = model.state_dict().keys()
    buffers = [buffer for name, buffer in model.named_buffers() if name in saved and buffer.is_floating_point()]
    return sum(tensor.numel() for tensor in [*model.parameters(), *buffers])


def main(families: Path, out: Path) -> None:
    table = {}
    for file in sorted(families.glob("*/full_size.json")):
        sizes = json.loads(file.read_text())
        table[file.parent.name] = {target: count(settings) for target, settings in sizes.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
