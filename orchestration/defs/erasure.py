"""Forgetting customers as a job, and the night that has to follow it."""

from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.erasure.erase import request_erasure, resume_erasures
from orchestration.lock import night_lock
from orchestration.settings import load_company

ERASURE_JOB = "erase_customers"


class ErasureConfig(dg.Config):
    """``customers_file``: one customer key a line. A file, because a run's configuration is kept, and shown to whoever
    opens the user interface; the job removes it.
    """

    customers_file: str
    by: str
    reason: str


@dg.op
def erase(context: dg.OpExecutionContext, config: ErasureConfig) -> None:
    """Put the customers onto the list of erasures and take them out of the warehouse."""
    company, path = load_company(), Path(config.customers_file)
    customers = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
    with night_lock(company.lock_path):
        requested = request_erasure(company, customers, config.by, config.reason)
        resume_erasures(company)
    path.unlink()
    context.add_output_metadata({"erased": len(requested.new), "erased_before": len(requested.known)})


@dg.job(name=ERASURE_JOB, executor_def=dg.in_process_executor)
def erase_customers() -> None:
    """Forget customers; the night that follows publishes without them."""
    erase()


def build_erasure(nightly: Any) -> tuple[list[Any], list[dg.SensorDefinition]]:
    """The job, and the sensor that runs the night after it."""

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[erase_customers],
        request_job=nightly,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def night_after_erasure(context: dg.RunStatusSensorContext) -> dg.RunRequest:
        """A night publishes without the erased, and removes the releases that may show them."""
        return dg.RunRequest(run_key=f"after-{context.dagster_run.run_id}")

    return [erase_customers], [night_after_erasure]
