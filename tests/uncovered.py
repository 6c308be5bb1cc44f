"""What the suite does not reach, held against the list of reasons beside this file.

    python -m tests.uncovered var/coverage.json

Ends with 1 when a function with lines that no test reaches is not named in `uncovered.toml`, or
when one that is named there is reached (or is gone). A group that `may_be_reached` is of
what one run reaches and another does not.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

REASONS = Path(__file__).with_suffix(".toml")


def missing_lines(report: Mapping[str, Any]) -> dict[str, list[int]]:
    """The lines not reached, by `file:function`; lines outside of functions by `file:`."""
    missing: dict[str, list[int]] = defaultdict(list)
    for file, about in report["files"].items():
        for function, region in about["functions"].items():
            # The second function of a name is `name@line`: lines move, so the two are one here.
            name = f"{file}:{function.partition('@')[0]}"
            missing[name] += region["missing_lines"]
    return {name: sorted(lines) for name, lines in missing.items() if lines}


def reasons(content: Mapping[str, Any]) -> dict[str, str]:
    """The reason why a function is not reached, by `file:function`.

    Raises ValueError for a group without a reason and for a function that is named twice.
    """
    named = Counter(name for group in content["uncovered"] for name in group["functions"])
    twice = [name for name, times in named.items() if times > 1]
    if twice:
        raise ValueError(f"named twice: {', '.join(twice)}")
    for group in content["uncovered"]:
        if not group["reason"].strip():
            raise ValueError(f"no reason: {', '.join(group['functions'])}")
    return {name: group["reason"] for group in content["uncovered"] for name in group["functions"]}


def may_be_reached(content: Mapping[str, Any]) -> set[str]:
    """What one run reaches and another does not: it needs a reason and is never one too many."""
    groups = (group for group in content["uncovered"] if group.get("may_be_reached"))
    return {name for group in groups for name in group["functions"]}


def complaints(
    missing: Mapping[str, list[int]], known: Mapping[str, str], varying: Collection[str] = ()
) -> list[str]:
    """What the list lacks, and what it has too much, a sentence each."""
    lacks = [
        f"{name}: lines {', '.join(map(str, lines))} are not reached, and no reason is given"
        for name, lines in missing.items()
        if name not in known
    ]
    return lacks + [
        f"{name}: named in {REASONS.name}, and all of it is reached (or it is gone)"
        for name in known
        if name not in missing and name not in varying
    ]


def main() -> int:
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    missing = missing_lines(report)
    content = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    known = reasons(content)
    for complaint in (found := complaints(missing, known, may_be_reached(content))):
        print(complaint)
    totals = report["totals"]
    print(
        f"{totals['percent_covered']:.1f} % of {totals['num_statements']:,} lines are reached; "
        f"{sum(map(len, missing.values())):,} are not, in {len(missing)} functions "
        f"with {len(set(known.values()))} reasons ({REASONS.name})"
    )
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
