"""Northwind Trails, a company that does not exist: everything its vendors know, at any instant.

It lives day by day from a seed. Each day is drawn once, in order, and holds the future of what
begins on it; `at` shows what has become known, so a later look agrees with an earlier one
save for what a vendor restates.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.ads import AdServing
from sandbox.campaigns import make_plan
from sandbox.contacts import company_frame, contact_frame
from sandbox.crm import Crm
from sandbox.crm_view import CrmView
from sandbox.deal_frames import (
    deal_company_frame,
    deal_contact_frame,
    deal_frame,
    stage_history_frame,
)
from sandbox.draws import epoch_ms, joined
from sandbox.owners import owner_frame
from sandbox.responses import form_frame, response_frame
from sandbox.snapshot import OPTIONAL_TEXT, Snapshot
from sandbox.surveys import Surveys

_SNAPSHOTS_KEPT = 4


class Company:
    """The company from its first day on; `scale` 1 has the volumes of a mid-size company."""

    def __init__(
        self,
        seed: int = 7,
        start: date = date(2025, 10, 1),
        scale: float = 1.0,
        time_zone: str = "Europe/Berlin",
    ) -> None:
        self.seed = seed
        self.start = start
        self.scale = scale
        self.time_zone = ZoneInfo(time_zone)
        self._plan = make_plan(seed, scale)
        self._ads = AdServing(seed, start, self._plan)
        self._crm = Crm(seed, start, self.time_zone, scale, len(self._plan.campaigns))
        self._surveys = Surveys(seed, start, self.time_zone, scale)
        self._days = 0
        self._seen: dict[datetime, Snapshot] = {}

    def at(self, now: datetime) -> Snapshot:
        """What the vendors know at `now` (an instant with a zone, not before the first day)."""
        if now in self._seen:
            return self._seen[now]
        today = now.astimezone(self.time_zone).date()
        if today < self.start:
            raise ValueError(f"{now} is before the company's first day, {self.start}")
        self._live_through(today)
        while len(self._seen) >= _SNAPSHOTS_KEPT:
            del self._seen[next(iter(self._seen))]
        self._seen[now] = snapshot = self._look(now)
        return snapshot

    def _live_through(self, today: date) -> None:
        while self.start + timedelta(days=self._days) <= today:
            self._crm.live(self._days, self._ads.serve(self._days))
            self._surveys.ask(self._days, self._crm.customers(self._days))
            self._days += 1

    def _look(self, now: datetime) -> Snapshot:
        now_ms = epoch_ms(now)
        crm = CrmView(*self._crm.columns(), self._plan, now_ms)
        answers = joined(self._surveys.batches)
        frames = {
            **self._ads.frames(now, now_ms),
            "owners": owner_frame(self.start, self.time_zone, now_ms),
            "contacts": contact_frame(crm),
            "companies": company_frame(crm),
            "deals": deal_frame(crm),
            "deal_stage_history": stage_history_frame(crm),
            "deal_contacts": deal_contact_frame(crm),
            "deal_companies": deal_company_frame(crm),
            "forms": form_frame(),
            "responses": response_frame(answers, crm.contact_ids, now_ms),
        }
        for name, columns in OPTIONAL_TEXT.items():
            for column in columns:
                texts = frames[name][column].astype(object)
                frames[name][column] = texts.where(texts.notna(), None)
        return Snapshot(now=now, start=self.start, time_zone=self.time_zone, **frames)
