"""Who was deleted for good counts no more once a list of all ids has not named them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta

import duckdb
import pytest

from boscard.backfill import asking
from boscard.night import Night
from tests.end_to_end.conftest import FIRST
from tests.end_to_end.expected import differences
from tests.end_to_end.nights import Installation, installed, small_settings

pytestmark = pytest.mark.slow

START = date(2026, 9, 1)
NIGHTS = [START + timedelta(days=days) for days in range(20, 30)]
SWEEPS = (NIGHTS[0], NIGHTS[7])


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A company with nothing but its CRM."""
    settings = small_settings(START, 1)
    accounts = [one for one in settings.accounts if one.source == "hubspot"]
    settings = settings.model_copy(update={"accounts": accounts})
    with installed(tmp_path_factory.mktemp("crm"), settings) as ready:
        yield ready


def live(night: Night) -> dict[str, bool]:
    """Every contact in the warehouse that counts, and whether it was archived."""
    with duckdb.connect(str(night.home.warehouse), read_only=True) as warehouse:
        sql = "select contact_id, is_archived from raw.hubspot__contacts where not _is_deleted"
        return dict(warehouse.execute(sql).fetchall())


def test_the_contacts_that_count_are_those_of_the_newest_list(crm: Installation) -> None:
    lagging = noticed = 0
    swept = start = NIGHTS[0]
    for day in NIGHTS:
        night = crm.night(day)
        assert crm.ingest(night) == {}
        night.load()
        swept = day if day in SWEEPS else swept
        assert crm.swept() == swept
        contacts = crm.sandbox.company.at(night.clock.now).contacts
        gone = contacts["gone_at"].notna()
        overlooked = gone & (contacts["gone_at"] > crm.night(swept).clock.now)
        crm.night(day)
        counts = contacts["archived_at"].isna() & (~gone | overlooked)
        assert set(live(night)) == set(contacts["contact_id"][counts]), day
        assert not any(live(night).values())
        unseen = contacts["archived_at"].isna() & gone
        lagging += (unseen & overlooked).sum()
        noticed += (unseen & ~overlooked & (contacts["gone_at"] > crm.night(start).clock.now)).sum()
    assert lagging > 0
    assert noticed > 0


def test_a_list_of_ids_comes_when_a_person_asks_for_days(crm: Installation) -> None:
    day = NIGHTS[-1] + timedelta(days=1)
    night = asking(crm.night(day), day, day)
    assert crm.ingest(night) == {}
    night.load()
    assert crm.swept() == day
    contacts = crm.sandbox.company.at(night.clock.now).contacts
    counts = contacts["archived_at"].isna() & contacts["gone_at"].isna()
    assert set(live(night)) == set(contacts["contact_id"][counts])


def test_the_scorecard_of_the_night_of_a_list_is_the_truth(
    another: Callable[[], AbstractContextManager[Installation]],
) -> None:
    day = FIRST + timedelta(days=7)
    with another() as installation:
        installation.run(day)
        assert installation.swept() == day
        assert differences(installation.read("kpi_values"), installation.expected(day)) == []
