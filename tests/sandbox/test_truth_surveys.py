"""The truth of the surveys, answer by answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from boscard.clock import Clock
from tests.sandbox.small_truth import (
    BERLIN,
    FORMS,
    Row,
    counted,
    snapshot,
    total,
    utc,
)


def response(token: str, submitted: str | None, score: int | None = None, **values: Any) -> Row:
    at = utc(submitted) if submitted else None
    return {
        "form_id": "N",
        "token": token,
        "response_type": "completed" if at else "partial",
        "landed_at": at or utc("2026-03-01 12:00"),
        "submitted_at": at,
        "score": score,
    } | values


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        *((score, "detractors") for score in (0, 6)),
        *((score, "passives") for score in (7, 8)),
        *((score, "promoters") for score in (9, 10)),
    ],
)
@pytest.mark.parametrize(("form", "survey"), [("N", "nps"), ("P", "pulse")])
def test_promoters_passives_and_detractors(score: int, kind: str, form: str, survey: str) -> None:
    known = snapshot(
        forms=FORMS, responses=[response("a", "2026-03-01 12:00", score, form_id=form)]
    )
    kinds = ("promoters", "passives", "detractors")
    found = {each: total(known, f"{survey}_{each}") for each in kinds}
    assert found == {each: int(each == kind) for each in kinds}


def test_the_last_answer_of_a_person_in_a_month_counts() -> None:
    known = snapshot(
        forms=FORMS,
        responses=[
            response("a", "2026-03-02 12:00", 2, contact_id="1"),
            response("b", "2026-03-20 12:00", 9, contact_id="1"),
            response("c", "2026-03-28 12:00", None, contact_id="1"),  # skipped the question
            response("d", "2026-03-31 22:30", 10, contact_id="1"),  # already April in Berlin
            response("f", "2026-03-05 12:00", 3, contact_id="2"),  # same instant, later token
            response("e", "2026-03-05 12:00", 9, contact_id="2"),
            response("g", "2026-03-06 12:00", 10),
            response("h", "2026-03-06 12:00", 10),  # unknown people each count
        ],
    )
    assert counted(known, "nps_promoters") == {
        ("2026-03-20", ""): 1,
        ("2026-04-01", ""): 1,
        ("2026-03-06", ""): 2,
    }
    assert counted(known, "nps_detractors") == {("2026-03-05", ""): 1}


def test_an_answer_after_the_night_does_not_displace_an_earlier_one() -> None:
    known = snapshot(
        forms=FORMS,
        responses=[
            response("a", "2026-06-20 12:00", 9, contact_id="1"),
            response("b", "2026-06-30 12:00", 0, contact_id="1"),
        ],
    )
    before = Clock(date(2026, 6, 29), BERLIN, 7)
    assert counted(known, "nps_promoters", clock=before) == {("2026-06-20", ""): 1}
    assert counted(known, "nps_detractors") == {("2026-06-30", ""): 1}


def test_satisfaction_counts_every_answer() -> None:
    known = snapshot(
        forms=FORMS,
        responses=[
            response(token, "2026-03-02 12:00", score, form_id="C", contact_id="1")
            for token, score in (("a", 3), ("b", 4), ("c", 5), ("d", None))
        ],
    )
    assert total(known, "csat_satisfied") == 2
    assert total(known, "csat_answers") == 3


def test_completion_counts_a_token_once_on_the_day_it_landed() -> None:
    landed = utc("2026-03-01 12:00")
    known = snapshot(
        forms=FORMS,
        responses=[
            response("a", "2026-03-02 12:00", 9, landed_at=landed),
            response("a", None, landed_at=landed),
            response("b", None, landed_at=landed),
            response("c", None, landed_at=landed, form_id="C"),
            response("d", None, landed_at=landed, response_type="started"),
            response("e", None, landed_at=landed, form_id="P"),
        ],
    )
    assert counted(known, "surveys_started") == {("2026-03-01", ""): 3}
    assert counted(known, "surveys_finished") == {("2026-03-01", ""): 1}
