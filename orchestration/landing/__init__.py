"""Extracts to raw: the only door for data.

``land`` takes every new file below the company's extracts folder into the warehouse, each row either into ``raw`` or into the
quarantine, and keeps a ledger of files (``landing.files``).
"""

from orchestration.landing.errors import ContractError, LandingError
from orchestration.landing.land import land
from orchestration.landing.report import LandingReport

__all__ = ["ContractError", "LandingError", "LandingReport", "land"]
