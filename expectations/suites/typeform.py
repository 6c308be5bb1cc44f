"""What must hold for Typeform: possible dates, and scores on the scale of their form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from expectations.facts import Facts, has_account
from expectations.rules import RowRule, Rule, Suite, literal
from expectations.standing import as_told, standing
from ingest.landing import read_batch
from ingest.sources.survey.typeform import SOURCE

_FOREVER = "timestamptz '2000-01-01 00:00:00+00'"
_BY_TYPE = {"nps": (0, 10), "opinion_scale": (0, 10), "rating": (1, 10)}

Scale = tuple[int, int]


def scale(field: Mapping[str, Any]) -> Scale | None:
    """The lowest and highest score of a form's field; None where it asks for no score.

    Typeform: nps is 0 to 10; a rating has `steps` from 1 (5 unless said); an opinion scale has
    `steps` (11 unless said) from 0, or from 1 with `start_at_one`.
    """
    properties = field.get("properties") or {}
    steps = properties.get("steps")
    match field.get("type"):
        case "nps":
            return 0, 10
        case "rating":
            return 1, int(steps or 5)
        case "opinion_scale":
            first = 1 if properties.get("start_at_one") else 0
            return first, first + int(steps or 11) - 1
        case _:
            return None


def scales(forms: Iterator[Mapping[str, Any]]) -> dict[str, Scale]:
    """The scales of all fields, fields in groups included, by `<form>/<field>`."""
    found: dict[str, Scale] = {}
    for form in forms:
        fields = list(form.get("fields") or ())
        for field in fields:
            fields += (field.get("properties") or {}).get("fields") or ()
            if known := scale(field):
                found[f"{form.get('id')}/{field.get('id')}"] = known
    return found


def _newest_forms(facts: Facts) -> Iterator[Mapping[str, Any]]:
    """The forms as last landed by this batch's night, or nothing."""
    manifest = facts.batch.manifest
    landed = [
        name
        for name in facts.landing.names(manifest.source, manifest.account, "forms")
        if name.as_of_date <= manifest.as_of_date
    ]
    if landed:
        for line in facts.landing.read_rows(read_batch(landed[-1])).splitlines():
            try:
                form = msgspec.json.decode(line)
            except msgspec.DecodeError:
                continue
            if isinstance(form, dict):
                yield form


def _scores(facts: Facts) -> Mapping[str, str]:
    """`_off_scale`: whether an answer's score is no whole number on its field's scale.

    A field that no landed form has (it was removed since) is held against its type's widest scale.
    """
    known = scales(_newest_forms(facts))
    by_field = _map({key: list(ends) for key, ends in known.items()})
    by_type = _map({key: list(ends) for key, ends in _BY_TYPE.items()})
    ends = (
        f"coalesce({by_field}[form_id || '/' || (answer ->> '$.field.id')], "
        f"{by_type}[answer ->> '$.field.type'])"
    )
    return {
        "_off_scale": f"""
            try(list_bool_or(list_transform(
                cast(json_extract(answers, '$[*]') as json[]),
                lambda answer: {ends} is not null and not coalesce(
                    try_cast(answer ->> '$.number' as double) between {ends}[1] and {ends}[2]
                    and try_cast(answer ->> '$.number' as double) % 1 = 0,
                    answer ->> '$.type' <> 'number'
                )
            )))
        """
    }


def _map(values: Mapping[str, list[int]]) -> str:
    if not values:
        return "map([]::varchar[], []::integer[][])"
    return f"map([{', '.join(map(literal, values))}], {list(values.values())!r})"


_RESPONSES: tuple[Rule, ...] = (
    RowRule(
        name="score_on_scale",
        action="quarantine",
        severity="critical",
        predicate="_off_scale",
        columns=("answers",),
        expected="scores are on the scale of their form",
        sentence="Some survey answers carry a score that the survey does not offer.",
    ),
    RowRule(
        name="answers_listed",
        action="quarantine",
        severity="critical",
        predicate="answers is not null and coalesce(try(json_type(answers)), '') <> 'ARRAY'",
        expected="answers is a list, or null",
        sentence="For some survey answers it is not readable what was answered.",
    ),
    RowRule(
        name="possible_submission_date",
        action="quarantine",
        severity="critical",
        predicate=f"submitted_at < {_FOREVER} or submitted_at > _horizon",
        expected="submitted_at from 2000 until the night of the pull",
        sentence="Some survey answers were sent on dates that cannot be.",
    ),
    RowRule(
        name="within_window",
        action="quarantine",
        severity="critical",
        predicate="(submitted_at at time zone _time_zone)::date "
        "not between _window_start and _window_end",
        applies=has_account,
        expected="submitted_at is on one of the days that were asked for",
        sentence="Survey answers came for days that were not asked for.",
    ),
    RowRule(
        name="landed_before_submitted",
        action="observe",
        severity="warning",
        predicate="landed_at > submitted_at",
        expected="landed_at <= submitted_at",
        sentence="Some survey answers were sent before the survey was opened.",
    ),
    RowRule(
        name="only_completed",
        action="quarantine",
        severity="critical",
        predicate="response_type <> 'completed'",
        expected="response_type is completed, or null",
        sentence="Some unfinished surveys came as finished ones.",
    ),
)


def _possible_landing(subject: str) -> Rule:
    return RowRule(
        name="possible_landing_date",
        action="quarantine",
        severity="critical",
        predicate=f"landed_at < {_FOREVER} or landed_at > _horizon",
        expected="landed_at from 2000 until the night of the pull",
        sentence=f"Some {subject} were opened on dates that cannot be.",
    )


SUITES: dict[str, Suite] = {
    "forms": Suite(
        subject="surveys",
        rules=(*standing(SOURCE.streams["forms"], "surveys"), as_told("surveys")),
        always=("fields",),
    ),
    "responses": Suite(
        subject="survey answers",
        rules=(
            *standing(SOURCE.streams["responses"], "survey answers"),
            as_told("survey answers"),
            *_RESPONSES,
            _possible_landing("survey answers"),
        ),
        columns=_scores,
    ),
    "partial_responses": Suite(
        subject="unfinished surveys",
        rules=(
            *standing(SOURCE.streams["partial_responses"], "unfinished surveys"),
            as_told("unfinished surveys"),
            _possible_landing("unfinished surveys"),
        ),
        dated_by=("landed_at",),
    ),
}
