"""Candidate files and the gate's checks on them, all blocking."""

from collections.abc import Iterator

import dagster as dg

from expectations.checks import CheckResult, Scope, save_results
from expectations.gate import audit_incentives, audit_marts, gate_check_names
from orchestration.apart import SeparateProcess
from orchestration.defs.company import NightResource
from orchestration.erasure.register import read_erasures
from orchestration.progress import say
from orchestration.publishing.candidate import write_incentives, write_marts
from orchestration.publishing.failing_rows import save_failing_rows
from orchestration.publishing.release import current_release
from orchestration.publishing.seal import checks_dir, record_checked_file
from orchestration.settings import Company
from orchestration.state import load_candidate, load_report, save_report

MARTS_KEY = dg.AssetKey(["candidate", "marts"])
INCENTIVES_KEY = dg.AssetKey(["candidate", "incentives"])


def audit(company: Company, scope: Scope) -> list[CheckResult]:
    """Audit one candidate file and save the results."""
    candidate, current = load_candidate(company), current_release(company)
    previous, erasures = current.marts_path if current else None, read_erasures(company)
    if scope == "marts":
        path = candidate.marts_path
        audited = audit_marts(company.warehouse_path, path, previous, erasures)
    else:
        path = candidate.incentives_path
        audited = audit_incentives(
            company.warehouse_path, candidate.marts_path, path, previous, company.currency_code, erasures
        )
    results = audited.results
    save_failing_rows(company, candidate.release_id, audited.rows)
    save_results(checks_dir(company, candidate.release_id) / f"gate_{scope}.jsonl", results)
    record_checked_file(company, candidate.release_id, path)
    failed = [f"{result.name}: {result.message}" for result in results if not result.passed]
    for reason in failed:
        say("gate", f"REFUSED {reason}")
    if failed:
        report = load_report(company)
        report.reasons += failed
        save_report(company, report)
    say("gate", f"{scope}: {sum(result.passed for result in results)} of {len(results)} checks passed")
    return results


def _check_name(rule: str) -> str:
    return rule.replace(".", "__")


def _asset_checks(results: list[CheckResult], key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    for result in results:
        yield dg.AssetCheckResult(
            passed=result.passed,
            asset_key=key,
            check_name=_check_name(result.name),
            severity=dg.AssetCheckSeverity.ERROR,
            description=result.message or None,
            metadata={"checked": result.checked or 0, "failed": result.failed or 0},
        )


def _check_specs(scope: Scope, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [dg.AssetCheckSpec(_check_name(name), asset=key, blocking=True) for name in sorted(gate_check_names(scope))]


def build_quality_assets(
    mart_keys: list[dg.AssetKey], incentive_keys: list[dg.AssetKey]
) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """Candidate assets and their checks. The incentives go first: publication waits for nothing that may fail, so it
    must find their verdict when its turn comes.
    """
    first = {"dagster/priority": "10"}

    @dg.asset(key=MARTS_KEY, deps=mart_keys, group_name="publishing", kinds={"duckdb"})
    def candidate_marts(night: NightResource) -> dg.MaterializeResult[None]:
        """The file that BI tools will read, before it is checked."""
        with SeparateProcess() as process:
            tables = write_marts(night.company, load_candidate(night.company), process)
        say("candidate", f"{len(tables)} tables for BI written")
        return dg.MaterializeResult(metadata={"tables": len(tables)})

    # The audit of pay reads the candidate's marts beside it.
    @dg.asset(
        key=INCENTIVES_KEY, deps=[*incentive_keys, MARTS_KEY], group_name="publishing", kinds={"duckdb"}, op_tags=first
    )
    def candidate_incentives(night: NightResource) -> dg.MaterializeResult[None]:
        """The file that payroll will read, before it is checked."""
        tables = write_incentives(night.company, load_candidate(night.company))
        say("candidate", f"{len(tables)} tables for payroll written")
        return dg.MaterializeResult(metadata={"tables": len(tables)})

    @dg.multi_asset_check(name="marts_gate", specs=_check_specs("marts", MARTS_KEY))
    def marts_gate(night: NightResource) -> Iterator[dg.AssetCheckResult]:
        yield from _asset_checks(audit(night.company, "marts"), MARTS_KEY)

    @dg.multi_asset_check(name="incentives_gate", specs=_check_specs("incentives", INCENTIVES_KEY), op_tags=first)
    def incentives_gate(night: NightResource) -> Iterator[dg.AssetCheckResult]:
        yield from _asset_checks(audit(night.company, "incentives"), INCENTIVES_KEY)

    return [candidate_marts, candidate_incentives], [marts_gate, incentives_gate]
