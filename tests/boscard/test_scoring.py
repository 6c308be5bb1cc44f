from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace

import duckdb
import jinja2
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from boscard.home import PROJECT
from boscard.scoring import (
    Child,
    DefinitionError,
    Target,
    band,
    band_may_change,
    pace,
    progress,
    roll_up,
    score,
    to_full_period,
)

THIRD, TWO_THIRDS = 1 / 3, 2 / 3

numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: round(number, 3))
positive = st.floats(0.01, 1e4, allow_nan=False).map(lambda number: round(number, 3))
shares = st.floats(0, 1, allow_nan=False)


@st.composite
def rising(draw: st.DrawFn) -> Target:
    red = draw(numbers)
    return Target("increase", green_from=red + draw(positive), red_below=red)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    direction = draw(st.sampled_from(["increase", "decrease", "maintain"]))
    first, gap = draw(numbers), draw(positive)
    if direction == "maintain":
        return Target("maintain", low=first, high=first + gap, tolerance=draw(positive))
    if direction == "increase":
        return Target("increase", green_from=first + gap, red_below=first)
    return Target("decrease", green_from=first, red_below=first + gap)


@st.composite
def moving(draw: st.DrawFn) -> tuple[float, float, Target]:
    """A value near what is asked of it, and the share of itself by which it may move."""
    target = draw(targets())
    if target.low is not None and target.high is not None and target.tolerance is not None:
        ends = [target.low - target.tolerance, target.high + target.tolerance]
    else:
        ends = sorted(end for end in (target.green_from, target.red_below) if end is not None)
    value = ends[0] + draw(st.floats(-1, 2)) * (ends[1] - ends[0])
    return value, draw(shares), target


children = st.lists(
    st.builds(Child, weight=st.floats(0.01, 100), score=st.none() | shares), min_size=1, max_size=8
)


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        pytest.param(300, Target("increase", green_from=700, red_below=500), 0.0, id="far-below"),
        pytest.param(500, Target("increase", green_from=700, red_below=500), THIRD, id="at-red"),
        pytest.param(600, Target("increase", green_from=700, red_below=500), 0.5, id="between"),
        pytest.param(
            700, Target("increase", green_from=700, red_below=500), TWO_THIRDS, id="at-green"
        ),
        pytest.param(900, Target("increase", green_from=700, red_below=500), 1.0, id="far-above"),
        pytest.param(9999, Target("increase", green_from=700, red_below=500), 1.0, id="cut-off"),
        pytest.param(
            40, Target("decrease", green_from=30, red_below=40), THIRD, id="decrease-at-red"
        ),
        pytest.param(
            30, Target("decrease", green_from=30, red_below=40), TWO_THIRDS, id="decrease-at-green"
        ),
        pytest.param(-5, Target("decrease", green_from=30, red_below=40), 1.0, id="decrease-far"),
        pytest.param(
            10, Target("maintain", low=10, high=20, tolerance=5), 1.0, id="range-at-its-end"
        ),
        pytest.param(
            22.5, Target("maintain", low=10, high=20, tolerance=5), 0.5, id="range-half-outside"
        ),
        pytest.param(
            4, Target("maintain", low=10, high=20, tolerance=5), 0.0, id="range-far-outside"
        ),
    ],
)
def test_score(value: float, target: Target, expected: float) -> None:
    assert score(value, target) == expected


def test_no_value_has_no_score() -> None:
    assert score(None, Target("increase", green_from=2, red_below=1)) is None


@pytest.mark.parametrize(
    ("scored", "has_target", "expected"),
    [
        (TWO_THIRDS, True, "green"),
        (math.nextafter(TWO_THIRDS, 0), True, "amber"),
        (THIRD, True, "amber"),
        (math.nextafter(THIRD, 0), True, "red"),
        (0.0, True, "red"),
        (None, True, "no data"),
        (None, False, "not scored"),
        (1.0, False, "not scored"),
    ],
)
def test_band(scored: float | None, has_target: bool, expected: str) -> None:
    assert band(scored, has_target=has_target) == expected


@pytest.mark.parametrize(
    ("value", "may_move_by", "target", "expected"),
    [
        pytest.param(100, 0.05, Target("increase", green_from=90, red_below=60), False, id="far"),
        pytest.param(100, 0.15, Target("increase", green_from=90, red_below=60), True, id="falls"),
        pytest.param(
            100, 0.15, Target("decrease", green_from=110, red_below=140), True, id="rises"
        ),
        pytest.param(100, 0.0, Target("increase", green_from=100, red_below=60), False, id="still"),
        pytest.param(-10, 0.2, Target("increase", green_from=-11, red_below=-20), True, id="below"),
        pytest.param(
            15, 0.1, Target("maintain", low=10, high=20, tolerance=6), False, id="in-its-range"
        ),
        pytest.param(
            9.5, 0.9, Target("maintain", low=9, high=10, tolerance=2), True, id="over-its-range"
        ),
        pytest.param(
            6.5, 0.9, Target("maintain", low=7, high=8, tolerance=90), False, id="never-far-from-it"
        ),
    ],
)
def test_band_that_may_change(
    value: float, may_move_by: float, target: Target, expected: bool
) -> None:
    assert band_may_change(value, may_move_by, target) is expected


@given(moving())
def test_band_may_change_when_any_value_that_may_come_has_another(
    case: tuple[float, float, Target],
) -> None:
    value, may_move_by, target = case
    steps = 400
    moves = [may_move_by * (2 * step / steps - 1) for step in range(steps + 1)]
    reached = {band(score(value * (1 + move), target)) for move in moves}
    if len(reached) > 1:
        assert band_may_change(value, may_move_by, target)


@given(moving())
def test_band_that_may_change_holds_in_less_and_changes_in_more(
    case: tuple[float, float, Target],
) -> None:
    value, may_move_by, target = case
    assert not band_may_change(value, 0, target)
    if band_may_change(value, may_move_by / 2, target):
        assert band_may_change(value, may_move_by, target)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"direction": "increase"}, "needs green_from"),
        ({"direction": "increase", "green_from": 5, "red_below": 5}, "both 5"),
        (
            {"direction": "increase", "green_from": 5, "red_below": 6},
            "opposite of direction increase",
        ),
        (
            {"direction": "decrease", "green_from": 6, "red_below": 5},
            "opposite of direction decrease",
        ),
        ({"direction": "maintain", "green_from": 6, "red_below": 5}, "needs low"),
        ({"direction": "maintain", "low": 2, "high": 1, "tolerance": 1}, "above high"),
        ({"direction": "maintain", "low": 1, "high": 2, "tolerance": 0}, "above 0"),
    ],
)
def test_contradicting_targets_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        Target(**wrong)


@given(numbers, targets())
def test_score_lies_between_0_and_1(value: float, target: Target) -> None:
    scored = score(value, target)
    assert scored is not None
    assert 0 <= scored <= 1


@given(numbers, rising(), st.floats(0.1, 1000))
def test_scaling_value_and_thresholds_changes_nothing(
    value: float, target: Target, factor: float
) -> None:
    assert target.green_from is not None
    assert target.red_below is not None
    scaled = Target(
        "increase", green_from=target.green_from * factor, red_below=target.red_below * factor
    )
    assert score(value * factor, scaled) == pytest.approx(score(value, target), abs=1e-6)


@given(numbers, numbers, rising())
def test_score_never_falls_as_the_value_rises(one: float, other: float, target: Target) -> None:
    low, high = sorted([one, other])
    assert score(low, target) <= score(high, target)


@given(numbers, rising())
def test_increase_and_decrease_mirror_each_other(value: float, target: Target) -> None:
    assert target.green_from is not None
    assert target.red_below is not None
    mirrored = Target("decrease", green_from=-target.green_from, red_below=-target.red_below)
    assert score(-value, mirrored) == score(value, target)


@given(children, st.floats(0.01, 100))
def test_rescaling_weights_changes_nothing(parts: list[Child], factor: float) -> None:
    scaled = [Child(part.weight * factor, part.score) for part in parts]
    one, other = roll_up(parts), roll_up(scaled)
    assume(abs(one.coverage - 0.7) > 1e-6)
    assert other.score == pytest.approx(one.score, abs=1e-12)
    assert other.coverage == pytest.approx(one.coverage)
    assert (other.worst_status, other.red_count) == (one.worst_status, one.red_count)


@given(children, st.none() | shares, st.integers(0, 8))
def test_child_of_weight_0_changes_nothing(
    parts: list[Child], scored: float | None, place: int
) -> None:
    one, other = roll_up(parts), roll_up([*parts[:place], Child(0, scored), *parts[place:]])
    assert (one.score, one.coverage, one.band) == (other.score, other.coverage, other.band)
    assert (one.worst_status, one.red_count) == (other.worst_status, other.red_count)


@given(children, st.floats(0.01, 100))
def test_missing_child_is_never_a_child_scored_0(parts: list[Child], weight: float) -> None:
    assume(any(part.score for part in parts))
    without = roll_up(parts, least_coverage=0)
    missing = roll_up([*parts, Child(weight, None)], least_coverage=0)
    scored_0 = roll_up([*parts, Child(weight, 0.0)], least_coverage=0)
    assert missing.score == pytest.approx(without.score)
    assert missing.coverage < scored_0.coverage
    assert missing.red_count == scored_0.red_count - 1


@given(children)
def test_contributions_add_up_to_the_score(parts: list[Child]) -> None:
    whole = roll_up(parts)
    known = [part for part in whole.contributions if part is not None]
    assert len(whole.contributions) == len(parts)
    if whole.score is None:
        assert not known
    else:
        assert math.fsum(known) == whole.score
        assert 0 <= whole.score <= 1 + 1e-12


@pytest.mark.parametrize(
    ("known_weight", "is_scored"), [(69.9, False), (70.0, True), (70.1, True)], ids=str
)
def test_whole_has_no_score_below_its_least_coverage(known_weight: float, is_scored: bool) -> None:
    whole = roll_up([Child(known_weight, 0.9), Child(100 - known_weight, None)])
    assert (whole.score is not None) is is_scored
    assert whole.band == ("green" if is_scored else "no data")
    assert whole.coverage == pytest.approx(known_weight / 100)
    assert whole.worst_status == "green"


def test_average_does_not_hide_a_red_child() -> None:
    whole = roll_up([Child(9, 1.0), Child(1, 0.1)])
    assert (whole.band, whole.worst_status, whole.red_count) == ("green", "red", 1)


def test_levels_pass_on_what_is_hidden_below() -> None:
    lower = roll_up([Child(3, 0.9), Child(1, 0.1), Child(0.5, None)])
    upper = roll_up(
        [Child(1, lower.score, lower.coverage, lower.worst_status, lower.red_count), Child(1, 0.8)]
    )
    assert upper.coverage == pytest.approx((4 / 4.5 + 1) / 2)
    assert (upper.worst_status, upper.red_count) == ("red", 1)


def test_nothing_below_is_not_scored() -> None:
    whole = roll_up([Child(0, 1.0)])
    assert (whole.score, whole.band, whole.worst_status) == (None, "not scored", "not scored")


def test_progress_is_not_cut_off() -> None:
    target = Target("decrease", green_from=60, red_below=90, baseline=100, target=50)
    assert progress(25, target) == 1.5
    assert progress(110, target) == -0.2
    assert progress(None, target) is None


def test_progress_needs_a_way_to_go() -> None:
    assert progress(5, Target("increase", green_from=2, red_below=1)) is None
    assert progress(5, Target("increase", green_from=2, red_below=1, baseline=3, target=3)) is None


def test_monthly_sum_on_schedule_is_not_red_on_the_second_day() -> None:
    target = Target("increase", green_from=90, red_below=60, baseline=0, target=100)
    elapsed = 2 / 30
    value = 100 * elapsed
    assert band(score(value, target)) == "red"
    assert band(score(to_full_period(value, elapsed), target)) == "green"
    assert pace(value, target, elapsed) == pytest.approx(1)
    assert to_full_period(value, 0) is None


@pytest.fixture(scope="module")
def macros() -> SimpleNamespace:
    source = Path(PROJECT / "dbt_project/macros/scoring.sql").read_text(encoding="utf-8")
    only = re.sub(r"\{% macro roll_up.*?\{%- endmacro %\}", "", source, flags=re.DOTALL)
    module = jinja2.Environment().from_string(only).module
    return SimpleNamespace(
        score=module.score, band=module.band, band_may_change=module.band_may_change
    )


@settings(max_examples=60, deadline=None)
@given(
    cases=st.lists(
        st.tuples(st.none() | numbers, shares, targets()) | moving(), min_size=1, max_size=20
    )
)
def test_warehouse_scores_as_this_module_does(
    cases: list[tuple[float | None, float, Target]], macros: SimpleNamespace
) -> None:
    names = ("direction", "green_from", "red_below", "low", "high", "tolerance")
    rows = [
        (value, moves, *(getattr(target, name) for name in names)) for value, moves, target in cases
    ]
    kinds = "value double, moves double, direction varchar, "
    kinds += ", ".join(f"{name} double" for name in names[1:])
    with duckdb.connect() as connection:
        connection.execute(f"create table cases (position integer, {kinds})")
        connection.executemany(
            "insert into cases values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(position, *row) for position, row in enumerate(rows)],
        )
        scored = f"select *, {macros.score('value', *names)} as score from cases"
        query = (
            f"select score, {macros.band('score', 'true')},"
            f" {macros.band_may_change('value', 'moves', *names)}"
            f" from ({scored}) order by position"
        )
        found = connection.execute(query).fetchall()
    for (value, moves, target), (sql_score, sql_band, sql_change) in zip(cases, found, strict=True):
        expected = score(value, target)
        assert sql_score == expected
        assert sql_band == band(expected)
        assert sql_change is (value is not None and band_may_change(value, moves, target))
