"""Extracts land; the policy is checked; the night is planned. Nothing new means that nothing after this runs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

from expectations.checks import save_results
from expectations.policy import PolicyError, check_policy
from orchestration.alerts import send_alert
from orchestration.defs.company import NightResource
from orchestration.erasure.erase import erase_left_over, finish_erasures, resume_erasures
from orchestration.landing import land
from orchestration.ledger.governed import check_governed_policy
from orchestration.night import new_candidate, plan_night, release_in_place
from orchestration.past_night import past_night_of
from orchestration.progress import say
from orchestration.publishing.candidate import discard_candidates
from orchestration.publishing.history import leave_damaged
from orchestration.publishing.seal import checks_dir
from orchestration.retrying import with_retries
from orchestration.sample import write_sample
from orchestration.settings import Company
from orchestration.state import NightReport, load_report, save_candidate, save_report

CONTROL_SCHEMA = "control"


def land_extracts(company: Company) -> dict[str, Any]:
    """Land every new file; write the sample chain's extracts first where the environment may and there are none."""
    save_report(company, NightReport())
    if company.environment.may_generate_sample and not company.extracts_dir.exists():
        say("sample", "there are no extracts: writing those of the sample chain")
        write_sample(company.extracts_dir, progress=lambda message: say("sample", message))
    resume_erasures(company, progress=lambda message: say("erasure", message))
    past = past_night_of(company)
    report = with_retries(
        "landing",
        lambda: land(company, lambda message: say("landing", message), wanted=past.had if past else None),
    )
    erase_left_over(company, progress=lambda message: say("erasure", message))
    summary = asdict(report) | {"problems": list(report.problems)}
    save_report(company, NightReport(landing=summary))
    for problem in report.problems:
        say("landing", problem)
    say(
        "landing",
        f"{report.files_landed:,} new files, {report.rows_landed:,} rows landed, {report.rows_quarantined:,} refused",
    )
    return summary


def build_landing_assets(keys: list[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """The assets of this stage; ``keys`` are the sources as the models know them: what planning writes about the night
    and the ledger (schema ``control``), and the extracts with the books of landing.
    """
    control_keys = [key for key in keys if key.path[0] == CONTROL_SCHEMA]
    source_keys = [key for key in keys if key.path[0] != CONTROL_SCHEMA]

    @dg.multi_asset(
        name="landing",
        specs=[dg.AssetSpec(key, group_name="landing", kinds={"duckdb"}) for key in source_keys],
    )
    def landing(night: NightResource) -> Iterator[dg.MaterializeResult[Any]]:
        """Raw tables of the warehouse, one per extract, with the books of landing."""
        summary = land_extracts(night.company)
        counts = {name: value for name, value in summary.items() if isinstance(value, int)}
        for key in source_keys:
            yield dg.MaterializeResult(asset_key=key, metadata=counts)

    @dg.multi_asset(
        name="plan",
        specs=[dg.AssetSpec(key, deps=source_keys, group_name="landing", skippable=True) for key in control_keys],
    )
    def plan(night: NightResource) -> Iterator[dg.MaterializeResult[Any]]:
        """The night's last day and inputs. Skipped, and all after it, when the release in place has them already."""
        company, report = night.company, load_report(night.company)
        try:
            checked = [*check_policy(company), check_governed_policy(company)]
        except PolicyError as error:
            report.reasons = [str(problem) for problem in error.problems]
            save_report(company, report)
            for reason in report.reasons:
                say("policy", reason)
            raise dg.Failure(f"the policy must not be used:\n{error}", allow_retries=False) from error
        if damage := leave_damaged(company):
            say("plan", damage)
            send_alert(company, "warning", damage)
        from orchestration.landing import LandingReport

        past = past_night_of(company)
        planned = plan_night(
            company, LandingReport(**report.landing), past.as_of if past else None, past.until if past else None
        )
        report.as_of = planned.as_of.isoformat()
        if release := release_in_place(company, planned):
            report.outcome, report.release_id = "unchanged", release.release_id
            finish_erasures(company, release.release_id)
            save_report(company, report)
            say("plan", f"nothing new: release {release.release_id} was computed from the same inputs and is undamaged")
            return
        discard_candidates(company)
        candidate = new_candidate(company, planned)
        save_candidate(company, candidate)
        save_results(checks_dir(company, candidate.release_id) / "policy.jsonl", checked)
        save_report(company, report)
        say("plan", f"as of {planned.as_of}: building release {candidate.release_id}")
        for key in control_keys:
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={"as_of": planned.as_of.isoformat(), "inputs_hash": planned.inputs_hash},
            )

    return [landing, plan]
