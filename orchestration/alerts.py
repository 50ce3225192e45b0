"""Alerts by URL: mail, Slack, Teams, WeCom, DingTalk and whatever else Apprise knows.

URLs hold tokens and passwords, so they come from environment variables only: ``SCORECARD_ALERT_URLS``, or those that ``alerts``
in ``company.yml`` names; several in one are parted by blanks. No URL is ever printed, and an alert that cannot be sent fails no
night.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Literal

from orchestration.progress import say
from orchestration.settings import Company
from orchestration.spreadsheet import one_line

DEFAULT_VARIABLE = "SCORECARD_ALERT_URLS"
Kind = Literal["failure", "warning", "success"]


def alert_urls(company: Company) -> list[str]:
    """Where alerts go; empty when nobody asked for any."""
    return [url for name in company.alert_variables or (DEFAULT_VARIABLE,) for url in os.environ.get(name, "").split()]


def checks_named(reasons: Sequence[str]) -> str:
    """The names of the checks and seeds that reasons begin with, a line each: rows, values and amounts do not leave the
    machine.
    """
    names = [one_line(reason).split(": ")[0][:100] for reason in reasons[:8]]
    return "".join(f"\n- {name}" for name in dict.fromkeys(names))


def send_alert(company: Company, kind: Kind, message: str) -> bool:
    """Send one message everywhere; returns whether it reached all. What went wrong is said without the address. Of a past
    night that is computed again nobody is told.
    """
    if company.past_night_path.is_file():
        return True
    missing = [name for name in company.alert_variables if not os.environ.get(name, "").strip()]
    if missing:
        say("alert", f"{', '.join(missing)} of company.yml is not set: nobody is told there")
    urls = alert_urls(company)
    if not urls:
        return not missing
    import apprise

    # The library writes addresses into its log when one is wrong or does not answer.
    logging.getLogger("apprise").disabled = True
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    try:
        channels = apprise.Apprise()
        known = sum(bool(channels.add(url)) for url in urls)
        sent = bool(channels) and channels.notify(
            title=f"Customer Scorecard, {company.name}", body=message, notify_type=apprise.NotifyType(kind)
        )
    except Exception as error:
        say("alert", f"could not be sent: {type(error).__name__}")
        return False
    if known < len(urls):
        say("alert", f"{len(urls) - known} of {len(urls)} addresses are of no service that is known")
    if not sent:
        say("alert", "could not be delivered everywhere")
    return bool(sent) and known == len(urls) and not missing
