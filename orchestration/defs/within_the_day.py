"""Within the day: a sensor has a process keep watch over new survey files and case outcomes, and tells what it did."""

import dagster as dg

from orchestration.apart import begin_beside
from orchestration.lock import REFRESH, NightIsBusy, night_lock
from orchestration.refreshing import REFRESHED_TABLES, RefreshRefused, RefreshReport, refresh, survey_signature
from orchestration.refreshing.report import last_refresh_path, load_refresh_report
from orchestration.refreshing.watch import is_watched, watch_alone
from orchestration.settings import load_company

REFRESH_JOB = "within_the_day"
_POLL_SECONDS = 5
_BUSY_RETRIES = 60


@dg.op
def refresh_survey(context: dg.OpExecutionContext) -> None:
    """Refresh survey measures, cases and scorecards of open periods; pay stays that of the night.

    Waits for a night that is running; what the night has landed then is nothing new.
    """
    company = load_company()
    try:
        with night_lock(company.lock_path, by=REFRESH):
            report = refresh(company)
    except NightIsBusy as error:
        raise dg.RetryRequested(max_retries=_BUSY_RETRIES, seconds_to_wait=60) from error
    except RefreshRefused as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.add_output_metadata({"outcome": report.outcome, "release_id": report.release_id or ""})


def build_refresh() -> tuple[dg.JobDefinition, dg.SensorDefinition]:
    """The job, for whoever asks by hand, and the sensor, which runs with the daemon."""
    job = dg.GraphDefinition(name=REFRESH_JOB, node_defs=[refresh_survey]).to_job(
        description="New survey answers and case outcomes, within the day.", executor_def=dg.in_process_executor
    )

    @dg.sensor(
        name="survey_files",
        job=job,
        minimum_interval_seconds=_POLL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Has a process keep watch, which refreshes when survey files or case outcomes have changed. Tells which "
        "tables it published; a refusal is asked once more as a run, which fails with the reason.",
    )
    def survey_files_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        company = load_company()
        if not is_watched(company):
            begin_beside(watch_alone, company)
        report = load_refresh_report(company)
        written = last_refresh_path(company).stat().st_mtime_ns if report else 0
        if report is None or str(written) == context.cursor:
            return dg.SkipReason("no refresh since the last look")
        if report.outcome == "refused":
            # The same files are asked for once: what the run is refused is a report, too.
            return dg.SensorResult([dg.RunRequest(run_key=survey_signature(company))], cursor=str(written))
        if report.outcome == "unchanged":
            return dg.SensorResult(skip_reason=dg.SkipReason("nothing new in the files"), cursor=str(written))
        return dg.SensorResult(asset_events=_published(report), cursor=str(written))

    return job, survey_files_sensor


def _published(report: RefreshReport) -> list[dg.AssetMaterialization]:
    told: dict[str, str | int | float] = {
        "release_id": report.release_id or "",
        "night_release_id": report.night_release_id or "",
        "rows_landed": report.rows_landed,
        "checks_passed": report.checks_passed,
        "seconds": round(sum(report.seconds.values()), 2),
    }
    return [dg.AssetMaterialization(table.split("."), metadata=told) for table in sorted(REFRESHED_TABLES)]
