"""The company a code location serves, and the lock that keeps a second night out."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, nullcontext

import dagster as dg

from orchestration.lock import NightIsBusy, night_lock
from orchestration.nightwatch import tell_if_hung, watched
from orchestration.settings import Company, load_company

RELEASE_KEY = dg.AssetKey(["published", "release"])


class NightResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Holds the night lock from the first step of a run to the last, and watches it, whoever launched the run. A run that
    does not come as far as a release is no night: somebody makes single tables.
    """

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[NightResource]:
        """Take the lock, or fail the run at once when another night is running; a refresh is waited for."""
        company, run = load_company(), context.run
        is_night = run is None or not run.asset_selection or RELEASE_KEY in run.asset_selection
        try:
            with night_lock(company.lock_path), watched(company) if is_night else nullcontext():
                yield self
        except NightIsBusy:
            tell_if_hung(company)
            raise

    @property
    def company(self) -> Company:
        """The company of this process."""
        return load_company()
