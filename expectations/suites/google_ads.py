"""What must hold for Google Ads: accounts in their own currency and time zone, sane counts."""

from __future__ import annotations

from collections.abc import Mapping

from expectations.facts import Facts, has_account, has_currency
from expectations.rules import AtLeast, OneOf, RowRule, Rule, Suite, literal
from expectations.standing import standing
from ingest.sources.ads.google_ads import SOURCE

_CHANNELS = (
    "DEMAND_GEN", "DISCOVERY", "DISPLAY", "HOTEL", "LOCAL", "LOCAL_SERVICES", "MULTI_CHANNEL",
    "PERFORMANCE_MAX", "SEARCH", "SHOPPING", "SMART", "TRAVEL", "VIDEO",
)  # fmt: skip


def _account_rules(subject: str) -> tuple[Rule, ...]:
    return (
        RowRule(
            name="own_account",
            action="hold",
            severity="critical",
            predicate="account_id <> _account",
            expected="account_id is the account that was asked",
            sentence=f"Google Ads answered with {subject} of another account.",
        ),
        RowRule(
            name="own_currency",
            action="hold",
            severity="critical",
            predicate="currency_code <> _currency",
            applies=has_currency,
            expected="currency_code is the account's configured currency",
            sentence="The account reports in another currency than the one agreed, "
            "so its money cannot be converted.",
        ),
        RowRule(
            name="own_time_zone",
            action="hold",
            severity="critical",
            predicate="time_zone <> _time_zone",
            applies=has_account,
            expected="time_zone is the account's configured time zone",
            sentence="The account counts its days in another time zone than the one agreed, "
            "so its days do not match.",
        ),
    )


def _not_negative(column: str, what: str) -> Rule:
    return AtLeast(
        name=f"{column}_not_negative",
        action="quarantine",
        severity="critical",
        column=column,
        minimum=0,
        expected=f"{column} >= 0",
        sentence=f"Negative {what} were reported.",
    )


_DAILY: tuple[Rule, ...] = (
    RowRule(
        name="measures_present",
        action="quarantine",
        severity="critical",
        predicate="impressions is null or clicks is null or cost_micros is null "
        "or conversions is null or conversions_value is null",
        expected="impressions, clicks, cost and conversions are not null",
        sentence="Some days were reported without their impressions, clicks, spend or conversions.",
    ),
    _not_negative("impressions", "impressions"),
    _not_negative("clicks", "clicks"),
    _not_negative("cost_micros", "amounts of spend"),
    _not_negative("conversions", "conversions"),
    _not_negative("conversions_value", "conversion values"),
    RowRule(
        name="clicks_within_impressions",
        action="quarantine",
        severity="critical",
        predicate="clicks > impressions",
        expected="clicks <= impressions",
        sentence="More clicks than impressions were reported.",
    ),
    RowRule(
        name="within_window",
        action="quarantine",
        severity="critical",
        predicate="report_date < _window_start or report_date > _window_end",
        expected="report_date is one of the days that were asked for",
        sentence="Numbers were reported for days that were not asked for.",
    ),
)


def _configured(facts: Facts) -> Mapping[str, str]:
    """The currency and time zone in the settings of the account that a row is about."""

    def case(values: Mapping[str, str | None]) -> str:
        whens = "".join(
            f" when {literal(account)} then {literal(value)}"
            for account, value in values.items()
            if value is not None
        )
        return f"case account_id{whens} end" if whens else "null::varchar"

    return {
        "_agreed_currency": case({one.account: one.currency for one in facts.accounts}),
        "_agreed_time_zone": case({one.account: one.time_zone for one in facts.accounts}),
    }


def _suite(stream: str, subject: str, rules: tuple[Rule, ...]) -> Suite:
    described = SOURCE.streams[stream]
    is_daily = described.load == "window"
    return Suite(
        subject=subject,
        rules=(*standing(described, subject), *rules),
        always=("impressions", "clicks", "cost_micros", "conversions", "conversions_value")
        if is_daily
        else (),
    )


_CUSTOMERS: tuple[Rule, ...] = (
    RowRule(
        name="agreed_currency",
        action="block",
        severity="critical",
        predicate="currency_code <> _agreed_currency",
        expected="currency_code is the one configured for the account",
        sentence="An ad account is kept in another currency than the one agreed: all of its "
        "money, past days too, would be converted wrongly.",
    ),
    RowRule(
        name="agreed_time_zone",
        action="hold",
        severity="critical",
        predicate="time_zone <> _agreed_time_zone",
        expected="time_zone is the one configured for the account",
        sentence="An ad account counts its days in another time zone than the one agreed.",
    ),
    AtLeast(
        name="level_not_negative",
        action="quarantine",
        severity="warning",
        column="level",
        minimum=0,
        expected="level >= 0",
        sentence="An ad account stands nowhere in the tree of accounts.",
    ),
)
_KNOWN_CHANNEL = OneOf(
    name="known_channel",
    action="observe",
    severity="warning",
    column="channel_type",
    allowed=lambda facts: _CHANNELS,
    expected=f"channel_type is one of {', '.join(_CHANNELS)}",
    sentence="There are campaigns of a kind that the scorecard does not know.",
)

SUITES: dict[str, Suite] = {
    "customers": Suite(
        subject="ad accounts",
        rules=(*standing(SOURCE.streams["customers"], "ad accounts"), *_CUSTOMERS),
        columns=_configured,
    ),
    "campaigns": _suite("campaigns", "campaigns", (*_account_rules("campaigns"), _KNOWN_CHANNEL)),
    "ad_groups": _suite("ad_groups", "ad groups", _account_rules("ad groups")),
    "ads": _suite("ads", "ads", _account_rules("ads")),
    "campaign_daily": _suite(
        "campaign_daily",
        "campaign numbers",
        (*_account_rules("campaign numbers"), *_DAILY, _KNOWN_CHANNEL),
    ),
    "ad_group_daily": _suite(
        "ad_group_daily",
        "ad group numbers",
        (*_account_rules("ad group numbers"), *_DAILY),
    ),
    "ad_daily": _suite(
        "ad_daily",
        "ad numbers",
        (*_account_rules("ad numbers"), *_DAILY),
    ),
}
