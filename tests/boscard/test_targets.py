from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from boscard import targets
from boscard.scoring import Target
from boscard.targets import (
    COLUMNS,
    SEED,
    Asked,
    Change,
    DryRun,
    TargetsError,
    changes,
    read_targets,
    sentences,
)

NIGHT = date(2026, 5, 20)
DIRECTIONS = {
    "UP": [(date(2025, 1, 1), "increase")],
    "DOWN": [(date(2025, 1, 1), "decrease")],
    "KEEP": [(date(2025, 1, 1), "maintain")],
    "TURN": [(date(2025, 1, 1), "increase"), (date(2026, 1, 1), "decrease")],
}
GOOD = {
    "kpi_id": "UP",
    "period_type": "month",
    "segment_type": "company",
    "segment": "company",
    "valid_from": "2026-05-01",
    "green_from": "9",
    "red_below": "3",
    "source": "Review",
    "as_of": "2026-04-20",
}
KEEP = {"kpi_id": "KEEP", "green_from": "", "red_below": "", "low": "1", "high": "2"}


def written(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    lines = [",".join(columns)]
    lines += [",".join({**GOOD, **row}.get(column, "") for column in columns) for row in rows]
    file = path / "new.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_rows_become_targets_of_the_direction_that_holds(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {},
        {**KEEP, "tolerance": "1"},
        {"kpi_id": "TURN", "valid_from": "2025-06-01"},
        {"kpi_id": "TURN", "valid_from": "2026-01-01", "green_from": "3", "red_below": "9"},
    )
    found = read_targets(file, DIRECTIONS)
    assert [one.target.direction for one in found] == [
        "increase", "maintain", "increase", "decrease",
    ]  # fmt: skip
    assert found[0] == Asked(
        ("UP", "month", "company", "company"), date(2026, 5, 1), Target("increase", 9, 3)
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param({"kpi_id": "X9"}, "kpi_id 'X9' is none of UP, DOWN", id="no such KPI"),
        pytest.param({"period_type": "year"}, "period_type 'year' is none of day", id="period"),
        pytest.param({"segment_type": "team"}, "segment_type 'team' is none of", id="segment type"),
        pytest.param({"segment": " "}, "segment is empty", id="no segment"),
        pytest.param({"source": ""}, "source is empty", id="no source"),
        pytest.param({"green_from": "a lot"}, "green_from 'a lot' is not a number", id="text"),
        pytest.param({"target": "nan"}, "target 'nan' is not a number", id="not a number"),
        pytest.param({"valid_from": "1.5.2026"}, "valid_from '1.5.2026' is not a day", id="day"),
        pytest.param({"as_of": ""}, "as_of '' is not a day", id="no day"),
        pytest.param({"kpi_id": "DOWN"}, "say the opposite of direction decrease", id="opposite"),
        pytest.param({"red_below": ""}, "needs green_from and red_below", id="half"),
        pytest.param({"low": "1"}, "low is not for direction increase", id="range for a threshold"),
        pytest.param(
            {**KEEP, "tolerance": "1", "green_from": "1"},
            "green_from is not for direction maintain",
            id="threshold for a range",
        ),
        pytest.param({**KEEP, "tolerance": "0"}, "tolerance 0 must be above 0", id="tolerance"),
        pytest.param({"baseline": "5", "target": "5"}, "are both 5", id="no way to go"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(
    tmp_path: Path, row: dict[str, str], words: str
) -> None:
    file = written(tmp_path, {"valid_from": "2026-01-01"}, row)
    with pytest.raises(TargetsError) as raised:
        read_targets(file, DIRECTIONS)
    [line] = str(raised.value).splitlines()
    key = {**GOOD, **row}
    name = f"{key['kpi_id']} {key['period_type']} {key['segment_type']} {key['segment']}"
    assert line.startswith(f"{file} line 3 ({name}): ")
    assert words in line


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, {"kpi_id": "X9", "source": ""}, {}, {}, {"as_of": "soon"})
    with pytest.raises(TargetsError) as raised:
        read_targets(file, DIRECTIONS)
    lines = str(raised.value).splitlines()
    assert [line.split(" line ")[1][0] for line in lines] == ["2", "2", "4", "5"]
    assert "the same KPI, period, segment and day as line 3" in lines[2]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        pytest.param(COLUMNS[:-1], "they must be kpi_id", id="one is missing"),
        pytest.param((*COLUMNS, "colour"), "source, as_of, colour; they must be", id="one more"),
    ],
)
def test_columns_must_be_those_of_the_seed(
    tmp_path: Path, columns: tuple[str, ...], words: str
) -> None:
    with pytest.raises(TargetsError, match="line 1: the columns are") as raised:
        read_targets(written(tmp_path, {}, columns=columns), DIRECTIONS)
    assert words in str(raised.value)


def test_the_file_may_be_empty_or_have_a_field_too_many(tmp_path: Path) -> None:
    assert read_targets(written(tmp_path), DIRECTIONS) == []
    file = written(tmp_path, {"as_of": "2026-04-20,more"})
    with pytest.raises(TargetsError, match="more fields than the first line"):
        read_targets(file, DIRECTIONS)


def asked(valid_from: date, green: float, red: float, kpi: str = "UP") -> Asked:
    return Asked((kpi, "month", "company", "company"), valid_from, Target("increase", green, red))


def values(*months: tuple[date, float | None, str], kpi: str = "UP") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kpi_id": kpi,
            "period_type": "month",
            "segment_type": "company",
            "segment": "company",
            "period_start": pd.to_datetime([start for start, _, _ in months]),
            "period_end": pd.to_datetime([start for start, _, _ in months])
            + pd.offsets.MonthEnd(0),
            "value": [value for _, value, _ in months],
            "band": [band for _, _, band in months],
            "coverage": 1.0,
            "is_mature": True,
            "is_cumulative": False,
        }
    )


MONTHS = values(
    (date(2026, 3, 1), 5, "amber"),
    (date(2026, 4, 1), 10, "green"),
    (date(2026, 5, 1), 5, "amber"),
)


def told(*proposed: Asked, present: tuple[Asked, ...] = (), rows: pd.DataFrame = MONTHS) -> list:
    found = changes(proposed, present, rows, NIGHT)
    return [(one.period, one.now, one.then, one.is_ahead) for one in found]


def test_periods_change_from_the_day_on_and_until_the_next_row() -> None:
    high = asked(date(2026, 4, 1), 100, 50)
    assert told(high) == [("2026-04", "green", "red", False), ("2026-05", "amber", "red", False)]
    until_may = asked(date(2026, 4, 15), 9, 3)
    assert told(high, present=(until_may,)) == [("2026-04", "green", "red", False)]
    assert told(asked(date(2026, 3, 1), 9, 3)) == []


def test_a_row_that_begins_later_is_shown_on_the_newest_period() -> None:
    assert told(asked(date(2026, 6, 1), 5, 1)) == [("2026-05", "amber", "green", True)]


def test_a_row_replaces_the_one_of_the_same_day() -> None:
    present = asked(date(2026, 4, 1), 9, 3)
    assert told(asked(date(2026, 4, 1), 4, 1), present=(present,)) == [
        ("2026-05", "amber", "green", False)
    ]


def test_what_has_no_value_or_is_too_young_does_not_change() -> None:
    rows = values((date(2026, 5, 1), None, "no data"))
    assert told(asked(date(2026, 5, 1), 5, 1), rows=rows) == []
    assert told(asked(date(2026, 5, 1), 5, 1), rows=MONTHS.assign(is_mature=False)) == []
    assert told(asked(date(2026, 5, 1), 5, 1, kpi="NONE")) == []


def test_a_running_sum_is_judged_by_its_pace() -> None:
    """20 of 31 days are over, 16 of them in the value: 16 comes to 31."""
    rows = values((date(2026, 5, 1), 16, "red")).assign(is_cumulative=True, coverage=0.8)
    assert told(asked(date(2026, 5, 1), 31, 1), rows=rows) == [("2026-05", "red", "green", False)]
    assert told(asked(date(2026, 5, 1), 31.1, 1), rows=rows) == [("2026-05", "red", "amber", False)]


def test_our_own_targets_can_be_read() -> None:
    import csv

    with (SEED.parent / "kpi_definitions.csv").open(encoding="utf-8", newline="") as file:
        directions = {
            row["kpi_id"]: [(date(2025, 1, 1), row["direction"])] for row in csv.DictReader(file)
        }
    assert len(read_targets(SEED, directions)) > 40


def test_a_dry_run_is_told_in_sentences(monkeypatch):
    names = pd.DataFrame([{"kpi_id": "F01", "name": "Spend", "unit": "money"}])
    monkeypatch.setattr(targets, "read", lambda *_: names)
    change = Change("F01", "2025-11", "company", 5.0, "green", "red", date(2025, 12, 1), True)
    changed, unknown = sentences(DryRun([change], [("F99", "month", "nowhere")]), "EUR")
    assert changed.startswith("F01 Spend, 2025-11, company: ")
    assert changed.endswith("green → red (from 2025-12-01 on; shown as if it held already)")
    assert unknown.startswith("nothing is published for F99 month nowhere")
    assert sentences(DryRun([], []), "EUR") == ["No KPI changes colour."]
