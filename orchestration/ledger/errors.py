"""Why the ledger says no."""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger cannot do what was asked; the message says why and what to do."""


class Refused(LedgerError):
    """A rule forbids it: the state of the period, who asks, what is still open. Nothing was written."""


class NotKnown(LedgerError):
    """No such employee, period, statement, line, hold or dispute."""


class LedgerDamaged(LedgerError):
    """The ledger is not what was written to it; the message names the first broken entry."""
