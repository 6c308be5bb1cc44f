"""How the survey tool looks at an instant: its forms, and the responses it would return by now."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sandbox.draws import HOUR, MINUTE, NEVER, Columns, instants, texts
from sandbox.surveys import COMMENTS, COMPLETED, FORMS, PARTIAL, REASONS, RESPONSE_TYPES


def form_frame() -> pd.DataFrame:
    return pd.DataFrame(
        [(form.form_id, form.title, form.kind) for form in FORMS],
        columns=["form_id", "title", "kind"],
    )


def response_frame(answers: Columns, contact_ids: NDArray[np.int64], now_ms: int) -> pd.DataFrame:
    """Responses visible at `now_ms`; one left open is partial until its answer becomes visible."""
    landed = answers["landed"].astype(np.int64)
    submitted = answers["submitted"].astype(np.int64)
    is_completed = answers["visible"] <= now_ms
    left_open = (submitted >= NEVER) | (submitted - landed > HOUR)
    staged = landed + 30 * MINUTE
    is_known = is_completed | (left_open & (staged <= now_ms))
    kind = np.where(is_completed, COMPLETED, np.where(submitted < NEVER, PARTIAL, answers["kind"]))
    shown = np.flatnonzero(is_known)
    shown = shown[np.lexsort((answers["token_high"][shown], landed[shown]))]
    done = is_completed[shown]
    person = answers["person"][shown].astype(np.int64)
    contact = np.full(len(shown), None, dtype=object)
    contact[person >= 0] = contact_ids[person[person >= 0]].astype(str)
    score = answers["score"][shown].astype(np.int64)
    tokens = zip(answers["token_high"][shown].tolist(), answers["token_low"][shown], strict=True)
    visible = np.where(done, answers["visible"][shown], staged[shown])
    return pd.DataFrame(
        {
            "form_id": texts([form.form_id for form in FORMS], answers["form"][shown]),
            "token": np.array([f"{high:016x}{low:016x}" for high, low in tokens], dtype=object),
            "response_type": texts(RESPONSE_TYPES, kind[shown]),
            "landed_at": instants(landed[shown], now_ms),
            "submitted_at": instants(np.where(done, submitted[shown], NEVER), now_ms),
            "contact_id": contact,
            "score": pd.array(np.where(done & (score >= 0), score, -1), dtype="Int64"),
            "comment": texts(COMMENTS, np.where(done, answers["comment"][shown], -1)),
            "reason": texts(REASONS, np.where(done, answers["reason"][shown], -1)),
            "visible_at": instants(visible, now_ms),
        }
    ).assign(score=lambda frame: frame["score"].mask(frame["score"] < 0))
