"""Run folders, as TensorBoard reads them, held against the rows of their JSON Lines files.

usage: events.py FOLDER...

Every number of `metrics.jsonl` and `scales.jsonl` must be there under its tag, at its step, once, and nothing else.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

PLACES = {"step", "tokens", "seconds"}


def expected(run: Path) -> dict[str, list[tuple[int, np.float32]]]:
    curves: dict[str, list[tuple[int, np.float32]]] = {}
    for file in ("metrics.jsonl", "scales.jsonl"):
        for row in map(json.loads, (run / file).read_text().splitlines()):
            place = f"scale_%s_{row['role']}/{row['name']}" if "role" in row else "train/%s"
            numbers = [(place % field, number) for field, number in row.items() if field not in PLACES]
            for field, inner in row.items():
                if isinstance(inner, dict):
                    numbers += [(f"{field}/{name}", number) for name, number in inner.items()]
            for tag, number in numbers:
                if isinstance(number, (int, float)):
                    curves.setdefault(tag, []).append((row["step"], np.float32(number)))
    return curves


def check(run: Path) -> None:
    # 0: all of them; by default TensorBoard keeps a sample.
    accumulator = EventAccumulator(str(run), size_guidance={SCALARS: 0})
    accumulator.Reload()
    wanted = expected(run)
    found = accumulator.Tags()[SCALARS]
    if set(found) != set(wanted):
        sys.exit(f"{run.name}: the tags differ: {sorted(set(found) ^ set(wanted))}")
    for tag, points in wanted.items():
        events = accumulator.Scalars(tag)
        if [(event.step, np.float32(event.value)) for event in events] != points:
            sys.exit(f"{run.name}: {tag} is not what the rows say")
        times = [event.wall_time for event in events]
        if times != sorted(times):
            sys.exit(f"{run.name}: the times of {tag} go backwards")
    print(f"{run.name}: TensorBoard reads {sum(map(len, wanted.values()))} numbers under {len(wanted)} tags")


for folder in sys.argv[1:]:
    check(Path(folder))
