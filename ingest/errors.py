"""What can go wrong while pulling, named by what the caller should do about it."""

from __future__ import annotations


class IngestError(Exception):
    """A unit was not pulled. `where` names the unit; `next_step` is what a person should do."""

    def __init__(self, message: str, next_step: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.where = where

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}. Next step: {self.next_step}" if self.next_step else text


class Transient(IngestError):
    """Try again soon: the network, a vendor's hiccup, a body cut off."""


class Throttled(IngestError):
    """Try again after `wait` seconds: the vendor says when."""

    def __init__(
        self, message: str, wait: float = 60.0, next_step: str = "", where: str = ""
    ) -> None:
        super().__init__(message, next_step, where)
        self.wait = wait

    def __str__(self) -> str:
        return f"{super().__str__()} (the vendor asks for {self.wait:.0f} s)"


class UsedUp(Throttled):
    """Try again after midnight in the account's time zone: the day's calls are used up."""


class Refused(IngestError):
    """Trying again does not help: `next_step` says what a person must do."""


class Skipped(IngestError):
    """There is nothing to pull here, and that is no failure (an ad account that is not enabled).

    Nothing is landed: what was loaded earlier stays as it is.
    """
