"""The GPT of gpt.rs in PyTorch: how many tokens a second it trains on, in the median of ten steps each as a trainer tells them, and the
most memory of its process in MiB.

usage: gpt.py eager|compile f32|bf16 STEPS
"""

import resource
import sys
import time
from statistics import median

import torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu, linear, rms_norm, scaled_dot_product_attention

VOCAB, WIDTH, LAYERS, HEADS, CONTEXT, BATCH, THREADS = 8192, 256, 10, 8, 256, 8, 2
# A trainer's rows tell the speed of so many steps together; the first of them are slow.
WINDOW = 10


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        draw = lambda rows, columns: nn.Parameter(torch.randn(rows, columns) * 0.02)
        self.attn_norm, self.mlp_norm = (nn.Parameter(torch.ones(WIDTH)) for _ in range(2))
        self.qkv, self.o = draw(3 * WIDTH, WIDTH), draw(WIDTH, WIDTH)
        self.up, self.down = draw(4 * WIDTH, WIDTH), draw(WIDTH, 4 * WIDTH)

    def forward(self, x):
        heads = linear(rms_norm(x, (WIDTH,), self.attn_norm, 1e-5), self.qkv)
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in heads.chunk(3, dim=-1))
        mixed = scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + linear(mixed, self.o)
        hidden = gelu(linear(rms_norm(x, (WIDTH,), self.mlp_norm, 1e-5), self.up), approximate="tanh")
        return x + linear(hidden, self.down)


class Gpt(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.randn(VOCAB, WIDTH) * 0.02)
        self.positions = nn.Parameter(torch.randn(CONTEXT, WIDTH) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.final_norm = nn.Parameter(torch.ones(WIDTH))

    def forward(self, tokens, targets):
        x = nn.functional.embedding(tokens, self.embed) + self.positions
        for layer in self.layers:
            x = layer(x)
        logits = linear(rms_norm(x, (WIDTH,), self.final_norm, 1e-5), self.embed)
        return cross_entropy(logits.float().flatten(0, 1), targets.flatten())


def main(mode: str, precision: str, steps: int) -> None:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    model = Gpt()
    loss_of = torch.compile(model) if mode == "compile" else model
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    speeds = []
    for _ in range(1 + steps // WINDOW):
        began = time.perf_counter()
        for _ in range(WINDOW):
            windows = torch.randint(256, (BATCH, CONTEXT + 1))
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
                loss = loss_of(windows[:, :-1], windows[:, 1:])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        loss.item()
        speeds.append(WINDOW * BATCH * CONTEXT / (time.perf_counter() - began))
    # Linux tells it in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(median(speeds[1:]), peak)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
