"""The truth of the surveys: loyalty, satisfaction, completion and pulse, by business day."""

from __future__ import annotations

from datetime import date

import pandas as pd

from sandbox.snapshot import SURVEY_ACCOUNT, Snapshot
from sandbox.truth_rows import days_of, midnight, stacked, summed


def survey_components(known: Snapshot, through: date) -> pd.DataFrame:
    """Promoters, passives and detractors, satisfied and all answers, started and finished."""
    kinds = known.forms.set_index("form_id")["kind"]
    responses = known.responses.assign(
        kind=known.responses["form_id"].map(kinds),
        landed_date=days_of(known.responses["landed_at"], known.time_zone),
        amount=1,
    )
    completed = responses[responses["response_type"] == "completed"]
    completed = completed.assign(date=days_of(completed["submitted_at"], known.time_zone))
    completed = completed[completed["date"] <= midnight(through)]
    scored = completed[completed["score"].notna()]
    nps = last_in_month(scored[scored["kind"] == "nps"])
    csat = scored[scored["kind"] == "csat"]
    pulse = scored[scored["kind"] == "pulse"]
    begun = responses[responses["response_type"].isin(["completed", "partial"])]
    begun = begun[begun["kind"].isin(["nps", "csat"])]
    begun = begun.assign(date=begun["landed_date"])
    begun = begun[begun["date"] <= midnight(through)]
    is_finished = begun["response_type"] == "completed"
    keys = ["form_id", "token"]
    components = {
        "nps_promoters": nps[nps["score"] >= 9],
        "nps_passives": nps[nps["score"].between(7, 8)],
        "nps_detractors": nps[nps["score"] <= 6],
        "csat_satisfied": csat[csat["score"] >= 4],
        "csat_answers": csat,
        "surveys_started": begun.drop_duplicates(keys),
        "surveys_finished": begun[is_finished].drop_duplicates(keys),
        "pulse_promoters": pulse[pulse["score"] >= 9],
        "pulse_passives": pulse[pulse["score"].between(7, 8)],
        "pulse_detractors": pulse[pulse["score"] <= 6],
    }
    return stacked([summed(rows, name, SURVEY_ACCOUNT, ()) for name, rows in components.items()])


def last_in_month(answers: pd.DataFrame) -> pd.DataFrame:
    """The last answer of each person, form and calendar month; unknown people all count."""
    month = answers["date"].dt.year * 12 + answers["date"].dt.month
    unknown = "token " + answers["token"]
    person = answers["contact_id"].where(answers["contact_id"].notna(), unknown)
    ordered = answers.assign(month=month, person=person).sort_values(["submitted_at", "token"])
    return ordered.drop_duplicates(["form_id", "person", "month"], keep="last")
