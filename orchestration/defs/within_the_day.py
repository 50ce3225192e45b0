"""Within the day: a sensor sees new survey files and case outcomes, and a run of its own brings them to the readers."""

from collections.abc import Iterator

import dagster as dg

from orchestration.lock import NightIsBusy, night_lock
from orchestration.refreshing import RefreshRefused, refresh, survey_signature
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
        with night_lock(company.lock_path):
            report = refresh(company)
    except NightIsBusy as error:
        raise dg.RetryRequested(max_retries=_BUSY_RETRIES, seconds_to_wait=60) from error
    except RefreshRefused as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.add_output_metadata({"outcome": report.outcome, "release_id": report.release_id or ""})


def build_refresh() -> tuple[dg.JobDefinition, dg.SensorDefinition]:
    """The job and its sensor, which runs with the daemon."""
    job = dg.GraphDefinition(name=REFRESH_JOB, node_defs=[refresh_survey]).to_job(
        description="New survey answers and case outcomes, within the day.", executor_def=dg.in_process_executor
    )

    @dg.sensor(
        name="survey_files",
        job=job,
        minimum_interval_seconds=_POLL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for a refresh when survey files or case outcomes have changed.",
    )
    def survey_files_sensor(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        signature = survey_signature(load_company())
        if signature == context.cursor:
            yield dg.SkipReason("no new survey file")
            return
        context.update_cursor(signature)
        yield dg.RunRequest(run_key=signature)

    return job, survey_files_sensor
