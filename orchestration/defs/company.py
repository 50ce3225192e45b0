"""The company a code location serves, and the lock that keeps a second night out."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from orchestration.lock import night_lock
from orchestration.nightwatch import watched
from orchestration.settings import Company, load_company


class NightResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Holds the night lock from the first step of a run to the last, and watches it, whoever launched the run."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[NightResource]:
        """Take the lock, or fail the run at once when another night is running; a refresh is waited for."""
        company = load_company()
        with night_lock(company.lock_path), watched(company):
            yield self

    @property
    def company(self) -> Company:
        """The company of this process."""
        return load_company()
