"""Typeform's forms and responses as the vendor shows them, newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from sandbox.snapshot import Snapshot

NOT_SUBMITTED = "0001-01-01T00:00:00Z"
SCORE_FIELDS: dict[str, dict[str, Any]] = {
    "nps": {
        "id": "npsScore0001",
        "ref": "nps_score",
        "type": "nps",
        "properties": {"steps": 11, "start_at_one": False},
    },
    "csat": {
        "id": "csatScore001",
        "ref": "csat_score",
        "type": "rating",
        "properties": {"steps": 5, "shape": "star"},
    },
    "pulse": {
        "id": "pulseScore01",
        "ref": "pulse_score",
        "type": "opinion_scale",
        "properties": {"steps": 11, "start_at_one": False},
    },
}
REASON_FIELD = "RUqkXSeXBXSd"
COMMENT_FIELD = "JwWggjAKtOkA"
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_5) AppleWebKit/605.1.15",
)


@dataclass(frozen=True, slots=True)
class Response:
    """One response. Seconds since 1970 throughout; `staged_at` is what since, until and order go
    by.

    That is the submission for a completed response, the landing for any other.
    """

    form_id: str
    form_kind: str
    token: str
    kind: str
    landed_at: int
    submitted_at: int | None
    contact_id: str | None
    score: int | None
    comment: str | None
    reason: str | None

    @property
    def staged_at(self) -> int:
        return self.landed_at if self.submitted_at is None else self.submitted_at

    @property
    def submitted_text(self) -> str:
        return NOT_SUBMITTED if self.submitted_at is None else _text(self.submitted_at)

    @property
    def order(self) -> tuple[int, str]:
        """Ascending in the order in which the system processed responses."""
        return (self.staged_at, self.token)

    def content(self) -> dict[str, Any]:
        """The response as JSON content; `answers` is absent when nothing was answered."""
        answers = self._answers()
        found: dict[str, Any] = {
            "landing_id": self.token,
            "token": self.token,
            "response_id": self.token,
            "response_type": self.kind,
            "landed_at": _text(self.landed_at),
            "submitted_at": self.submitted_text,
            "metadata": {
                "user_agent": AGENTS[int(self.token[:2], 36) % len(AGENTS)],
                "platform": ("other", "mobile")[int(self.token[2:4], 36) % 2],
                "referer": f"https://northwind.typeform.example/to/{self.form_id}",
                "network_id": self.token[-10:],
                "browser": "default",
            },
            "hidden": {},
            "calculated": {"score": 0},
            "variables": [{"key": "score", "type": "number", "number": 0}],
        }
        if self.form_kind != "pulse":
            source = "email" if self.contact_id else "link"
            known = {"contact_id": self.contact_id} if self.contact_id else {}
            found["hidden"] = known | {"utm_source": source}
        if answers:
            found["answers"] = answers
        return found

    def _answers(self) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        if self.score is not None:
            score = SCORE_FIELDS[self.form_kind]
            known = {name: score[name] for name in ("id", "type", "ref")}
            answers.append({"field": known, "type": "number", "number": self.score})
        if self.reason is not None:
            choice = {
                "id": _choice_id(self.reason),
                "ref": self.reason.lower(),
                "label": self.reason,
            }
            known = {"id": REASON_FIELD, "type": "multiple_choice", "ref": "reason"}
            answers.append({"field": known, "type": "choice", "choice": choice})
        if self.comment is not None:
            known = {"id": COMMENT_FIELD, "type": "long_text", "ref": "comment"}
            answers.append({"field": known, "type": "text", "text": self.comment})
        return answers


@dataclass(slots=True)
class FormBook:
    """One form with its responses, newest first."""

    form_id: str
    title: str
    kind: str
    created: str
    responses: list[Response]
    by_token: dict[str, Response] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.responses.sort(key=lambda response: response.order, reverse=True)
        self.by_token = {response.token: response for response in self.responses}

    def listed(self, base_url: str) -> dict[str, Any]:
        return {
            "id": self.form_id,
            "type": "quiz",
            "title": self.title,
            "last_updated_at": self.created,
            "created_at": self.created,
            "settings": {"is_public": True, "is_trial": False},
            "self": {"href": f"{base_url}/forms/{self.form_id}"},
            "theme": {"href": f"{base_url}/themes/default"},
            "_links": {"display": f"https://northwind.typeform.example/to/{self.form_id}"},
        }

    def definition(self, base_url: str) -> dict[str, Any]:
        """The form with its fields and hidden fields."""
        reasons = sorted({response.reason for response in self.responses if response.reason})
        choices = [{"id": _choice_id(name), "ref": name.lower(), "label": name} for name in reasons]
        return {
            "id": self.form_id,
            "type": "quiz",
            "title": self.title,
            "workspace": {"href": f"{base_url}/workspaces/northwind"},
            "theme": {"href": f"{base_url}/themes/default"},
            "settings": {"language": "en", "is_public": True, "is_trial": False},
            "hidden": [] if self.kind == "pulse" else ["contact_id", "utm_source"],
            "fields": [
                {
                    **SCORE_FIELDS[self.kind],
                    "title": self.title,
                    "validations": {"required": False},
                },
                {
                    "id": REASON_FIELD,
                    "ref": "reason",
                    "title": "What is the main reason?",
                    "type": "multiple_choice",
                    "properties": {"choices": choices, "allow_multiple_selection": False},
                },
                {
                    "id": COMMENT_FIELD,
                    "ref": "comment",
                    "title": "Anything to add?",
                    "type": "long_text",
                    "properties": {},
                },
            ],
            "variables": {"score": 0},
            "created_at": self.created,
            "last_updated_at": self.created,
            "_links": {"display": f"https://northwind.typeform.example/to/{self.form_id}"},
        }


class Surveys:
    """One snapshot's forms by id, in the order of their creation."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        created = f"{snapshot.start}T06:00:00Z"
        kinds = dict(zip(snapshot.forms["form_id"], snapshot.forms["kind"], strict=True))
        found: dict[str, list[Response]] = {form_id: [] for form_id in kinds}
        frame = snapshot.responses
        columns = zip(
            *(frame[name].tolist() for name in ("form_id", "token", "response_type")),
            *(_seconds(frame[name]) for name in ("landed_at", "submitted_at")),
            *(frame[name].tolist() for name in ("contact_id", "score", "comment", "reason")),
            strict=True,
        )
        for form_id, token, kind, landed, submitted, contact, score, comment, reason in columns:
            found[form_id].append(
                Response(
                    form_id=form_id,
                    form_kind=kinds[form_id],
                    token=token,
                    kind=kind,
                    landed_at=landed or 0,
                    submitted_at=submitted,
                    contact_id=_known(contact),
                    score=None if pd.isna(score) else int(score),
                    comment=_known(comment),
                    reason=_known(reason),
                )
            )
        titles = zip(snapshot.forms["form_id"], snapshot.forms["title"], strict=True)
        self.forms = {
            form_id: FormBook(form_id, title, kinds[form_id], created, found[form_id])
            for form_id, title in titles
        }


def moment(text: str) -> int | None:
    """Seconds since 1970 of unix seconds or ISO 8601 to the second (UTC), None for neither."""
    if text.isdigit():
        return int(text)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z?", text):
        return None
    try:
        return int(datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(column: pd.Series) -> list[int | None]:
    return [None if pd.isna(value) else int(value.timestamp()) for value in column]


def _known(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _choice_id(label: str) -> str:
    return f"choice{label[:6]}"
