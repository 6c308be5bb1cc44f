"""What every fault of every vendor must come to: one row a case, in words and as an outcome.

Whatever the fault, a row that is loaded is the vendor's sound row, each other row is superseded or
set aside with the name of a check, or its batch is held or not pulled at all; nothing else breaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.errors import IngestError, Refused, Skipped, Throttled, Transient, UsedUp


@dataclass(frozen=True, slots=True)
class Same:
    """Loaded is what an undisturbed night loads; rows that came twice are superseded."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """The changed rows, and only they, are quarantined by `rule`; `each`: rows per changed one."""

    rule: str
    each: int = 1


@dataclass(frozen=True, slots=True)
class Stopped:
    """The struck batches are held (or blocked) by `rule`: their last good rows stay in use."""

    rule: str
    state: str = "held"


@dataclass(frozen=True, slots=True)
class NotPulled:
    """The pull ends with `error` and lands nothing: the night goes on, the vendor is stale."""

    error: type[IngestError]


@dataclass(frozen=True, slots=True)
class Gone:
    """The vendor's word is taken: all that came is loaded, and what did not come is not."""


@dataclass(frozen=True, slots=True)
class Believed:
    """As many rows as ever, with what the vendor now says in them; `observed` is noted.

    `later`: by how much their moments are; None: those of the changed rows are, by whatever.
    """

    observed: str | None = None
    later: timedelta | None = timedelta()


Outcome = Same | SetAside | Stopped | NotPulled | Gone | Believed


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at one vendor. `faults` are what the sandbox is told, `stream` what is pulled."""

    name: str
    vendor: str
    stream: str
    words: str
    outcome: Outcome
    faults: tuple[dict[str, Any], ...]
    read_seconds: float = 60.0

    def __str__(self) -> str:
        return f"{self.vendor}: {self.name}".replace(" ", "_")


STREAMS = {"google_ads": "campaign_daily", "hubspot": "contacts", "typeform": "responses"}
ALL = tuple(STREAMS)
EARLIER = "2028-02-20"


def _at(
    vendors: tuple[str, ...] | str,
    name: str,
    outcome: Outcome,
    words: str,
    *,
    stream: str | None = None,
    read_seconds: float = 60.0,
    **fault: Any,
) -> list[Case]:
    """The same case at several vendors."""
    cases = []
    for vendor in (vendors,) if isinstance(vendors, str) else vendors:
        chosen = stream or STREAMS[vendor]
        told = {"vendor": vendor, "match": chosen, **fault}
        cases.append(Case(name, vendor, chosen, words, outcome, (told,), read_seconds))
    return cases


ADS, CRM, SURVEY = ALL
ON_AND_ON: dict[str, Any] = {"times": None}
ALWAYS: dict[str, Any] = {"rows": None}

WIRE = [
    *_at(ALL, "throttled shortly", Same(), "waited for, asked again", fault="throttle"),
    *_at(
        (ADS, SURVEY),
        "throttled for hours",
        NotPulled(Throttled),
        "the scheduler waits as long as the vendor says; meanwhile the vendor is stale",
        fault="throttle",
        seconds=40_591,
        **ON_AND_ON,
    ),
    *_at(
        CRM,
        "the day's calls used up",
        NotPulled(UsedUp),
        "the scheduler waits until the account's midnight; meanwhile the vendor is stale",
        fault="throttle",
        seconds=40_591,
        **ON_AND_ON,
    ),
    *_at(ALL, "5xx once", Same(), "asked again", fault="server_error"),
    *_at(ALL, "500 once", Same(), "asked again", fault="server_error", status=500),
    *_at(
        ALL, "5xx all night", NotPulled(Transient), "given up", fault="server_error", **ON_AND_ON
    ),
    *_at(ALL, "time-out once", Same(), "asked again", read_seconds=2, fault="slow", ms=2500,
         times=1),
    *_at(
        ALL,
        "time-out all night",
        NotPulled(Transient),
        "given up",
        read_seconds=0.5,
        fault="slow",
        ms=1000,
    ),
    *_at(ALL, "slow pages", Same(), "waited for", fault="slow", ms=30),
    *_at(ALL, "body cut off", Same(), "asked again", fault="truncate"),
    *_at(ALL, "JSON cut off", Same(), "asked again", fault="truncate", how="json"),
    *_at(
        ALL, "JSON cut off always", NotPulled(Transient), "given up", fault="truncate", how="json",
        **ON_AND_ON,
    ),
    *_at(ALL, "invalid UTF-8 once", Same(), "asked again", fault="invalid_utf8"),
    *_at(
        ALL, "invalid UTF-8 always", NotPulled(Transient), "given up", fault="invalid_utf8",
        **ON_AND_ON,
    ),
    *_at(ALL, "indented JSON", Same(), "layout means nothing", fault="indented"),
    *_at(ALL, "token expired mid-run", Same(), "a new one is fetched", fault="expire_token",
         after=1),
    *_at(
        ALL, "credentials revoked mid-run", NotPulled(Refused), "a person must authorise anew",
        fault="revoke", after=1,
    ),
    *_at(
        ALL, "credentials revoked", NotPulled(Refused), "a person must authorise anew",
        fault="revoke",
    ),
    *_at(
        ADS, "account disabled", NotPulled(Skipped), "no failure: what was loaded stays",
        fault="disable",
    ),
    *_at(
        (CRM, SURVEY), "account disabled", NotPulled(Refused), "a person must look",
        fault="server_error", status=403, **ON_AND_ON,
    ),
]  # fmt: skip

PAGES = [
    *_at((ADS, SURVEY), "duplicate rows across pages", Same(), "each once", fault="overlap",
         rows=1),
    *_at(
        CRM, "duplicate rows across pages", Same(), "each once", stream="deal_contacts",
        fault="overlap", match="deals",
    ),
    *_at((ADS, CRM), "an empty page in the middle", Same(), "read on", fault="empty_page"),
    *_at(
        SURVEY, "an empty page in the middle", NotPulled(Transient),
        "nothing says what comes after it, and it is not taken for the end",
        fault="empty_page", match="NpsCust1 responses",
    ),
    *_at(ALL, "a page token that repeats", NotPulled(Transient), "no endless loop",
         fault="repeat_token"),
    *_at((ADS, SURVEY), "a page that repeats", NotPulled(Transient), "no endless loop",
         fault="repeat_page"),
    *_at(CRM, "a page that repeats", NotPulled(Transient), "no endless loop",
         stream="deal_contacts", fault="repeat_page", match="deals"),
    *_at(CRM, "the index of search an hour behind", Gone(), "the next night asks for both days",
         fault="index_lag", seconds=3600),
    *_at(CRM, "the index of search a day behind", Gone(), "the next night asks for both days",
         fault="index_lag", seconds=86_400),
]  # fmt: skip

FIELDS = [
    *_at(ADS, "spend renamed", Stopped("no_field_vanished"), "held", fault="renamed_field"),
    *_at(CRM, "deal stage renamed", Stopped("no_field_vanished"), "held", stream="deals",
         fault="renamed_field"),
    *_at(CRM, "lifecycle stage renamed", Stopped("no_field_vanished"), "held",
         fault="renamed_field", field="lifecyclestage", to="stage_of_life"),
    *_at(SURVEY, "submission time renamed", Stopped("no_field_vanished"), "held",
         fault="renamed_field"),
    *_at(SURVEY, "the key of paging renamed", NotPulled(Refused), "the answer has another shape",
         fault="renamed_field", field="token", to="response_token"),
    *_at(CRM, "the key of paging gone", NotPulled(Refused), "the answer has another shape",
         fault="wrong_value", field="id", value=None, **ALWAYS),
    *_at(ALL, "a field added", Believed("no_new_field"), "noted, not used", fault="added_field"),
    *_at(ADS, "spend retyped to an object", Stopped("mostly_sound"), "held", fault="wrong_value",
         value={"amount": 1}, **ALWAYS),
    *_at(ADS, "spend retyped to a fraction", SetAside("typed"), "set aside, never rounded",
         fault="wrong_value", value=1.5),
    *_at(CRM, "amount retyped to an object", SetAside("typed"), "set aside", stream="deals",
         fault="wrong_value", value={"amount": 1}, rows=2),
    *_at(CRM, "properties retyped to text", SetAside("readable"), "set aside",
         fault="wrong_value", field="properties", value="none"),
    *_at(SURVEY, "answers retyped to text", SetAside("answers_listed"), "set aside",
         fault="wrong_value", field="answers", value="none"),
    *_at(ADS, "text where spend is meant", SetAside("typed"), "set aside", fault="wrong_value"),
    *_at(ADS, "text in all spend", Stopped("mostly_sound"), "held", fault="wrong_value", **ALWAYS),
    *_at(CRM, "text where an amount is meant", SetAside("typed"), "set aside", stream="deals",
         fault="wrong_value", rows=2),
    *_at(SURVEY, "text where a moment is meant", SetAside("typed"), "set aside",
         fault="wrong_value", value="yesterday"),
    *_at(SURVEY, "text where a score is meant", SetAside("score_on_scale"), "set aside",
         fault="score_out_of_range", value="ten"),
    *_at(SURVEY, "half a score", SetAside("score_on_scale"), "set aside, never rounded",
         fault="score_out_of_range", value=7.5),
    *_at(ADS, "no spend", SetAside("measures_present"), "set aside, not taken for zero",
         fault="wrong_value", value=None),
]  # fmt: skip

VALUES = [
    *_at(ADS, "negative spend", SetAside("cost_micros_not_negative"), "set aside",
         fault="negative_spend"),
    *_at(CRM, "negative amount", SetAside("amount_not_negative"), "set aside", stream="deals",
         fault="wrong_value", value="-5", rows=2),
    *_at(ALL, "impossible dates", SetAside("typed"), "set aside", fault="impossible_date"),
    *_at(CRM, "impossible dates of deals", SetAside("typed"), "set aside", stream="deals",
         fault="impossible_date", rows=2),
    *_at(ADS, "clicks above impressions", SetAside("clicks_within_impressions"), "set aside",
         fault="clicks_above_impressions"),
    *_at(ALL, "duplicate keys", Same(), "one of two equal rows is used", fault="duplicate_key"),
    *_at(ADS, "duplicate keys that differ", SetAside("one_row_a_key", each=2),
         "neither can be believed", fault="duplicate_key", differs=True),
    *_at(CRM, "duplicate keys that differ", Believed(later=None), "the newer version is used",
         fault="duplicate_key", differs=True),
    *_at(SURVEY, "duplicate keys that differ", Believed("one_row_a_key", None),
         "the later one is used", fault="duplicate_key", differs=True),
    *_at(SURVEY, "a score out of range", SetAside("score_on_scale"), "set aside",
         fault="score_out_of_range"),
    *_at(ADS, "a currency switched", Stopped("own_currency"), "held", fault="wrong_value",
         field="customer.currencyCode", value="GBP", **ALWAYS),
    *_at(ADS, "a currency switched in the list of accounts", Stopped("agreed_currency", "blocked"),
         "nothing is published: past money too would be converted wrongly", stream="customers",
         fault="wrong_value", field="customerClient.currencyCode", value="GBP", **ALWAYS),
    *_at(CRM, "a currency switched", SetAside("known_currency"), "set aside", stream="deals",
         fault="wrong_value", field="properties.deal_currency_code", value="JPY", rows=2),
    *_at(ADS, "a time zone changed", Stopped("own_time_zone"), "held", fault="wrong_value",
         field="customer.timeZone", value="Asia/Tokyo", **ALWAYS),
    *_at(ADS, "a time zone changed in the list of accounts", Stopped("agreed_time_zone"), "held",
         stream="customers", fault="wrong_value", field="customerClient.timeZone",
         value="Asia/Tokyo", **ALWAYS),
    *_at(ADS, "rows that vanish on restatement", Gone(), "the newest answer is the answer",
         stream="ad_daily", fault="missing_rows", percent=5),
    *_at(CRM, "rows that vanish from a list", Stopped("as_many_as_told"),
         "held: the vendor itself counts more", fault="missing_rows", percent=1),
    *_at(SURVEY, "an answer that vanishes", Gone(), "one or two may go while a list is read",
         fault="missing_rows", percent=5),
    *_at(ADS, "30 % of rows missing", Stopped("enough_rows"), "held", stream="ad_daily",
         fault="missing_rows"),
    *_at((CRM, SURVEY), "30 % of rows missing", Stopped("as_many_as_told"),
         "held: the vendor itself counts more", fault="missing_rows"),
    *_at(ADS, "a day missing", Stopped("nothing_missing"), "held", fault="missing_day"),
    *_at(ADS, "an earlier day missing", Stopped("nothing_missing"), "held", fault="missing_day",
         day=EARLIER),
    *_at(SURVEY, "a day missing", Gone(), "cannot be told from a day without answers",
         fault="missing_day", day="2028-02-28"),
    *_at((CRM, SURVEY), "a clock an hour ahead", Believed(later=timedelta(hours=1)),
         "moments up to a day ahead are taken", fault="clock_ahead"),
]  # fmt: skip

TABLE: list[Case] = [*WIRE, *PAGES, *FIELDS, *VALUES]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A fault that takes more than one pull to show: `test` proves its outcome, `words`."""

    name: str
    vendors: tuple[str, ...]
    words: str
    test: str


ELSEWHERE = [
    Elsewhere(
        "a leap day and both changes to summer time", ALL, "each day once, each number the truth",
        "tests/end_to_end/test_clock_changes.py::test_every_published_value_is_the_truth",
    ),
    Elsewhere(
        "a crash before a rotated refresh token is saved", (SURVEY,),
        "a person must authorise anew, and then all is well",
        "tests/faults/test_nights.py::test_a_crash_before_a_rotated_refresh_token_is_saved",
    ),
    Elsewhere(
        "records deleted for good", (CRM,), "they count until the next list of all ids",
        "tests/end_to_end/test_deleted_for_good.py"
        "::test_the_contacts_that_count_are_those_of_the_newest_list",
    ),
    Elsewhere(
        "what the index of search lagged behind with", (CRM,), "it comes the next night",
        "tests/faults/test_nights.py::test_what_an_index_lagged_behind_with_comes_the_next_night",
    ),
]  # fmt: skip
