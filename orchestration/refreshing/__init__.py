"""A refresh within the day: new survey answers and case outcomes reach the readers without a night.

It works on a copy of the warehouse, so that the next night is what it would have been without it. In the copy it lands
the survey's files, builds what is downstream of them and in ``REFRESHED_TABLES``, and publishes a release in which all
else, pay first of all, is as the night left it. The gate holds here too: the checks of the refreshed tables run again.
"""

from orchestration.refreshing.day import survey_signature
from orchestration.refreshing.plan import REFRESHED_TABLES, refresh_plan
from orchestration.refreshing.report import RefreshReport, load_refresh_report
from orchestration.refreshing.run import RefreshRefused, refresh, warm_up

__all__ = [
    "REFRESHED_TABLES",
    "RefreshRefused",
    "RefreshReport",
    "load_refresh_report",
    "refresh",
    "refresh_plan",
    "survey_signature",
    "warm_up",
]
