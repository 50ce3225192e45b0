"""Which company is run, in which environment, and where its files are.

A company is a folder with a ``company.yml``. One setting, the environment variable ``SCORECARD_COMPANY``, chooses it; the
default is the sample chain at the top of the checkout. Everything a run reads or writes hangs below that folder, or below
``SCORECARD_DATA_DIR`` where the data must lie elsewhere.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from orchestration.spreadsheet import one_line

PROJECT_DIR = Path(__file__).resolve().parent.parent
_OPTIONAL = {"data_dir", "alerts", "releases_kept"}
_LONGEST_TEXT = 500


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the file and the field."""


@dataclass(frozen=True)
class Environment:
    """What differs between the places a company runs in.

    ``as_of_source``: ``data`` takes the last business day delivered as the run's ``as_of``, so that fixed extracts always
    give the same night; ``clock`` takes the day before today in the company's time zone.
    ``may_generate_sample``: whether a night that finds no extracts may write the sample chain's.
    """

    name: str
    as_of_source: Literal["data", "clock"]
    may_generate_sample: bool


# Every environment by name and no fallback: a misspelt "prd" must stop the night, not run it with sample settings.
ENVIRONMENTS: dict[str, Environment] = {
    "sample": Environment("sample", as_of_source="data", may_generate_sample=True),
    "dev": Environment("dev", as_of_source="data", may_generate_sample=False),
    "prod": Environment("prod", as_of_source="clock", may_generate_sample=False),
}


@dataclass(frozen=True)
class Company:
    """One company's folder, its settings, and the paths derived from them."""

    folder: Path
    data_dir: Path
    name: str
    environment: Environment
    time_zone: str
    currency_code: str
    alert_variables: tuple[str, ...] = ()
    releases_kept: int = 7

    @property
    def seeds_dir(self) -> Path:
        """Policy and mapping seeds (CSV), one folder per kind."""
        return self.folder / "seeds"

    @property
    def headers_path(self) -> Path:
        """Optional: the company's own column names per extract, added to those of the contract."""
        return self.folder / "headers.yml"

    @property
    def deliveries_path(self) -> Path:
        """Optional: how the company's own systems write and order their files, where the contract says otherwise."""
        return self.folder / "deliveries.yml"

    @property
    def extracts_dir(self) -> Path:
        """``<source>/<extract>/<anything>.<format>``; the delivering systems write here, landing only reads."""
        return self.data_dir / "extracts"

    @property
    def state_dir(self) -> Path:
        """Private to the pipeline: warehouse file, lock, dbt target, Dagster home."""
        return self.data_dir / "warehouse"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that only the pipeline opens."""
        return self.state_dir / "warehouse.duckdb"

    @property
    def lock_path(self) -> Path:
        """``flock`` on this file is what keeps a second night out."""
        return self.state_dir / "night.lock"

    @property
    def watch_lock_path(self) -> Path:
        """``flock`` on this file is held by whoever keeps watch over the survey's files."""
        return self.state_dir / "watch.lock"

    @property
    def dbt_target_dir(self) -> Path:
        """Dbt's artifacts; one per company, so that companies do not invalidate each other's partial parse."""
        return self.state_dir / "dbt"

    @property
    def dagster_home(self) -> Path:
        """Dagster's run storage for this company."""
        return self.state_dir / "dagster"

    @property
    def day_dir(self) -> Path:
        """What refreshes within the day work on; may be removed at any time between them."""
        return self.state_dir / "day"

    @property
    def backfill_dir(self) -> Path:
        """Past nights that were computed again, a folder each."""
        return self.data_dir / "backfill"

    @property
    def past_night_path(self) -> Path:
        """There when the data folder is that of a past night that was computed again."""
        return self.data_dir / "past_night.json"

    @property
    def published_dir(self) -> Path:
        """``releases/<id>/`` and the symlink ``current``: what BI tools and payroll read."""
        return self.data_dir / "published"


def load_company(folder: Path | str | None = None) -> Company:
    """Read ``company.yml`` of ``folder`` (default: ``SCORECARD_COMPANY``, then the sample chain).

    Raises:
        SettingsError: no such file, an unknown or missing field, or one whose value cannot be.

    """
    chosen = Path(folder or os.environ.get("SCORECARD_COMPANY") or PROJECT_DIR).expanduser().resolve()
    path = chosen / "company.yml"
    if not path.is_file():
        raise SettingsError(f"{path}: not found; a company is a folder with a company.yml (SCORECARD_COMPANY names it)")
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(fields, dict):
        raise SettingsError(f"{path}: must hold fields, one 'name: value' a line")

    required = {"name", "environment", "time_zone", "currency_code"}
    if missing := sorted(required - fields.keys()):
        raise SettingsError(f"{path}: missing field {', '.join(missing)}")
    if unknown := sorted(map(str, fields.keys() - required - _OPTIONAL)):
        raise SettingsError(f"{path}: unknown field {', '.join(map(one_line, unknown))}")
    texts = {name: _text(path, name, fields[name]) for name in sorted(required)}

    environment_name = os.environ.get("SCORECARD_ENV") or texts["environment"]
    if environment_name not in ENVIRONMENTS:
        raise SettingsError(f"{path}: environment {environment_name!r} is not one of {', '.join(ENVIRONMENTS)}")
    try:
        ZoneInfo(texts["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"{path}: time_zone {texts['time_zone']!r} is not an IANA time zone") from error
    currency_code = texts["currency_code"]
    if not re.fullmatch(r"[A-Z]{3}", currency_code):
        raise SettingsError(f"{path}: currency_code {currency_code!r} is not a three-letter ISO 4217 code")

    alerts = fields.get("alerts") or []
    if not isinstance(alerts, list) or not all(
        isinstance(name, str) and re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) for name in alerts
    ):
        raise SettingsError(
            f"{path}: alerts must list names of environment variables that hold the addresses, such as [OPS_ALERT_URL]; "
            "an address holds a secret and does not belong into a file"
        )

    # The way back from a bad release is the one before it.
    releases_kept = fields.get("releases_kept", Company.releases_kept)
    if type(releases_kept) is not int or releases_kept < 2:
        raise SettingsError(f"{path}: releases_kept must be a whole number of at least 2, not {releases_kept!r}")

    relative = _text(path, "data_dir", fields.get("data_dir", "."))
    data_dir = Path(os.environ.get("SCORECARD_DATA_DIR") or chosen / relative).expanduser().resolve()
    return Company(
        folder=chosen,
        data_dir=data_dir,
        name=texts["name"],
        environment=ENVIRONMENTS[environment_name],
        time_zone=texts["time_zone"],
        currency_code=currency_code,
        alert_variables=tuple(alerts),
        releases_kept=releases_kept,
    )


def _text(path: Path, name: str, value: object) -> str:
    """One short line: names, paths and codes are shown in terminals and alerts."""
    text = str(value) if isinstance(value, str | int) else ""
    if not text.strip() or not text.isprintable() or len(text) > _LONGEST_TEXT:
        raise SettingsError(f"{path}: {name} must be one line of text, at most {_LONGEST_TEXT} characters")
    return text
