"""`python -m bench [--quick] [NAME ...]`: measures, prints tables, writes bench/results."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from bench import extract, gate, history, readers, window
from bench.machine import described
from bench.measurement import Measure, Measurement, table

RESULTS = Path(__file__).resolve().parent / "results"
MEASURES: Mapping[str, Measure] = {
    "extract": extract.measure,
    "gate": gate.measure,
    "window": window.measure,
    "history": history.measure,
    "readers": readers.measure,
}


def written(measurement: Measurement, machine: Mapping[str, object]) -> str:
    """What stands in bench/results: the measurement, its targets judged, and the machine."""
    content = asdict(measurement)
    for target, found in zip(measurement.targets, content["targets"], strict=True):
        found["is_met"] = target.is_met
    return json.dumps({**content, "machine": machine}, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument(
        "--quick", action="store_true", help="toy sizes, one round, nothing written"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(MEASURES)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: write some of {', '.join(MEASURES)}")
    is_met = True
    for name in asked.names or MEASURES:
        machine = described()
        with tempfile.TemporaryDirectory(prefix="boscard-bench-") as scratch:
            measurement = MEASURES[name](
                Path(scratch), is_quick=asked.quick, rounds=1 if asked.quick else asked.rounds
            )
        if asked.quick:  # of so little work a target says nothing
            measurement = replace(measurement, targets=())
        print(table(measurement), end="\n\n", flush=True)
        if not asked.quick:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name}.json").write_text(written(measurement, machine), encoding="utf-8")
            is_met &= all(target.is_met for target in measurement.targets)
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
