"""How long clipping and a step of PyTorch's optimizers take: the median of so many, in milliseconds, on the tensors of a
small GPT. The same as examples/optimizer_step.rs of the runtime.

usage: optimizer_step.py adamw|muon STEPS
"""

import sys
import time
from statistics import median

import torch

VOCAB, WIDTH, LAYERS = 8192, 256, 10


def main(algorithm: str, steps: int) -> None:
    draw = lambda *shape: torch.nn.Parameter(torch.randn(*shape) * 0.02)
    rest = [draw(VOCAB, WIDTH), draw(WIDTH, WIDTH), draw(WIDTH)]
    matrices = []
    for _ in range(LAYERS):
        rest += [draw(WIDTH), draw(WIDTH)]
        matrices += [draw(3 * WIDTH, WIDTH), draw(WIDTH, WIDTH), draw(4 * WIDTH, WIDTH), draw(WIDTH, 4 * WIDTH)]
    everything = rest + matrices
    adamw = lambda parameters: torch.optim.AdamW(
        parameters, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    if algorithm == "adamw":
        optimizers = [adamw(everything)]
    else:
        muon = torch.optim.Muon(matrices, lr=1e-3, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
        optimizers = [adamw(rest), muon]
    times = []
    for step in range(steps + 3):
        for parameter in everything:
            parameter.grad = torch.randn_like(parameter) * 0.01
        began = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(everything, 1.0)
        for optimizer in optimizers:
            optimizer.step()
        if step >= 3:
            times.append((time.perf_counter() - began) * 1e3)
    print(median(times))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]))
