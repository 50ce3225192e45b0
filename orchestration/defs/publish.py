"""Publication: sealed, verified, one symlink moved."""

import shutil

import dagster as dg

from expectations.checks import Scope
from expectations.dbt_checks import required_dbt_checks
from expectations.gate import gate_check_names
from expectations.policy import policy_check_names
from orchestration.apart import SeparateProcess
from orchestration.defs.company import RELEASE_KEY, NightResource
from orchestration.defs.quality import INCENTIVES_KEY, MARTS_KEY
from orchestration.erasure.erase import finish_erasures
from orchestration.manifest import read_manifest
from orchestration.progress import say
from orchestration.publishing.release import PublishRefused, Release, current_release, drop_old_releases, publish
from orchestration.publishing.seal import checks_dir, seal
from orchestration.settings import Company
from orchestration.state import load_candidate, load_report, save_report
from orchestration.transform import INCENTIVES_TAG

PAYROLL_KEY = dg.AssetKey(["published", "payroll"])


def required_checks(company: Company) -> dict[Scope, set[str]]:
    """Everything that must have run and passed: dbt's tests by the manifest, the gate's by its code, the policy's."""
    manifest = read_manifest(company)
    required = required_dbt_checks(manifest, INCENTIVES_TAG)
    required["marts"] |= gate_check_names("marts") | policy_check_names()
    required["incentives"] |= gate_check_names("incentives")
    return required


def checks_gone(in_place: Release | None, required: dict[Scope, set[str]]) -> list[str]:
    """Checks that the release in place had to pass and the next has not. Whoever deletes a test may mean to, so none is
    refused for it; it is said, since a check that is gone cannot fail.
    """
    if in_place is None:
        return []
    before = {*in_place.verdict.required_marts, *in_place.verdict.required_incentives}
    return sorted(before.difference(*required.values()))


def publish_night(company: Company) -> Release:
    """Seal and publish the night's candidate.

    Raises:
        PublishRefused: nothing was changed; the last good release stays.

    """
    candidate, report = load_candidate(company), load_report(company)
    try:
        required = required_checks(company)
        report.checks_gone = checks_gone(current_release(company), required)
        for name in report.checks_gone:
            say("publish", f"no longer checked: {name}")
        with SeparateProcess() as process:
            sealed = seal(company, candidate, required, process)
        release = publish(company, candidate)
    except PublishRefused as error:
        report.reasons += str(error).splitlines()
        save_report(company, report)
        say("publish", f"REFUSED {error}")
        raise
    report.release_id = release.release_id
    report.checks_passed = sum(result.passed for result in sealed.results)
    report.checks_failed = len(sealed.results) - report.checks_passed
    report.outcome = "published_without_incentives" if sealed.incentives_reasons else "published"
    report.reasons += [reason for reason in sealed.incentives_reasons if reason not in report.reasons]
    save_report(company, report)
    say("publish", f"release {release.release_id} is in place")
    drop_old_releases(company)
    if removed := finish_erasures(company, release.release_id):
        say("erasure", f"{len(removed)} older releases removed: they may show who was erased")
    shutil.rmtree(checks_dir(company, candidate.release_id))
    return release


def build_publish_assets() -> list[dg.AssetsDefinition]:
    """The release, and payroll, which is blocked while the incentives' checks fail."""

    @dg.asset(key=RELEASE_KEY, deps=[MARTS_KEY], group_name="publishing", kinds={"duckdb"})
    def release(night: NightResource) -> dg.MaterializeResult[None]:
        """``published/current``: the release that readers see."""
        placed = publish_night(night.company)
        return dg.MaterializeResult(metadata={"release_id": placed.release_id})

    @dg.asset(key=PAYROLL_KEY, deps=[RELEASE_KEY, INCENTIVES_KEY], group_name="publishing")
    def payroll(night: NightResource) -> dg.MaterializeResult[None]:
        """``published/current/incentives.duckdb`` computed by this night; not reached while its checks fail."""
        return dg.MaterializeResult(metadata={"release_id": load_report(night.company).release_id or ""})

    return [release, payroll]
