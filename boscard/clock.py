"""The one clock, for the pipeline and the sandbox alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Clock:
    """A night: data through `as_of_date`, seen at the publication hour of the next business day."""

    as_of_date: date
    time_zone: ZoneInfo
    publication_hour: int

    @property
    def now(self) -> datetime:
        """The instant of this night in UTC; nothing here asks the machine for the time."""
        return start_of_day(
            self.as_of_date + timedelta(days=1), self.time_zone, self.publication_hour
        )

    def settled_day(self, time_zone: ZoneInfo) -> date:
        """The last whole day at `now` in an account's own time zone."""
        return self.now.astimezone(time_zone).date() - timedelta(days=1)

    @classmethod
    def at(cls, moment: datetime, time_zone: ZoneInfo, publication_hour: int) -> Clock:
        """The night published on the business day of `moment`: its data end the day before."""
        local = moment.astimezone(time_zone)
        published_on = date(local.year, local.month, local.day)  # Airflow's moments are pendulum's
        return cls(published_on - timedelta(days=1), time_zone, publication_hour)

    @classmethod
    def newest(cls, moment: datetime, time_zone: ZoneInfo, publication_hour: int) -> Clock:
        """The newest night whose publication hour has come at `moment`."""
        night = cls.at(moment, time_zone, publication_hour)
        if night.now <= moment:
            return night
        return cls(night.as_of_date - timedelta(days=1), time_zone, publication_hour)


def start_of_day(day: date, time_zone: ZoneInfo, hour: int = 0) -> datetime:
    """The UTC instant at which `day` reaches `hour` in `time_zone`, daylight saving included."""
    return datetime.combine(day, time(hour), tzinfo=time_zone).astimezone(UTC)
