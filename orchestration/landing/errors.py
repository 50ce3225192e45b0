"""What can go wrong with a contract, a whole file, or the warehouse while extracts land."""

from __future__ import annotations


class LandingError(Exception):
    """Landing cannot go on (disk full, warehouse unreadable, a raw table that no longer fits the contract)."""


class ContractError(LandingError):
    """The contract or a company's header names are wrong; the message names file, line and field."""


class Refused(Exception):
    """The whole file is set aside for good; it is tried again only when its content or the contract changes."""


class Waiting(Exception):
    """The file looks half-written; it is left alone and looked at again on the next night."""


class NeedsStrictReader(Exception):
    """The fast reader's rows do not account for the file; the strict reader decides."""
