"""dbt builds the marts, then the incentives; every seed, model and test shows in the graph."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from expectations.checks import Scope, save_results
from expectations.dbt_checks import dbt_check_results
from orchestration.defs.company import NightResource
from orchestration.manifest import read_manifest
from orchestration.night import code_version, hash_policy
from orchestration.progress import DbtProgress, say
from orchestration.publishing.seal import checks_dir
from orchestration.settings import Company
from orchestration.state import load_candidate, load_report, save_report
from orchestration.transform import INCENTIVES_TAG, NodeResult, build, parsed_project
from orchestration.unit_tests import keep_results, kept_results, required_unit_tests

SELECTIONS: dict[Scope, tuple[str, ...]] = {
    "marts": ("--exclude", f"tag:{INCENTIVES_TAG}"),
    "incentives": ("--select", f"tag:{INCENTIVES_TAG}"),
}


class Translator(DagsterDbtTranslator):
    """Keys are schema and table, as published; groups are the folders of the models."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """``core/orders``; sources as ``raw/sales__order_lines``."""
        name = dbt_resource_props.get("identifier") or dbt_resource_props.get("alias") or dbt_resource_props["name"]
        return dg.AssetKey([dbt_resource_props["schema"], name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """``staging``, ``intermediate``, ``marts`` or the seeds' folder."""
        return str(dbt_resource_props["fqn"][1])


def translator() -> Translator:
    """Dbt's tests become asset checks."""
    return Translator(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))


def build_scope(company: Company, scope: Scope) -> tuple[list[NodeResult], list[dict[str, Any]]]:
    """Build one scope and save its checks; returns the results and dbt's raw result events."""
    progress = DbtProgress(scope)
    manifest = read_manifest(company)
    unit_tests = required_unit_tests(manifest, scope)
    kept = kept_results(company, unit_tests)
    say(
        scope,
        f"dbt builds and tests; {len(kept)} unit tests stand, for the code is the same"
        if kept
        else "dbt builds and tests",
    )
    project = parsed_project(company, code_version() + hash_policy(company))
    without = ("--exclude-resource-type", "unit_test") if kept else ()
    results = build(company, *SELECTIONS[scope], *without, on_event=progress, manifest=project)
    checks = dbt_check_results(results, scope)
    if not kept:
        keep_results(company, checks, unit_tests)
    candidate, report = load_candidate(company), load_report(company)
    save_results(checks_dir(company, candidate.release_id) / f"dbt_{scope}.jsonl", [*checks, *kept])
    report.built += sum(result.kind in {"model", "seed"} and result.succeeded for result in results)
    failed = [result for result in results if not result.succeeded and result.status != "skipped"]
    if failed:
        report.reasons += [
            f"{result.name}: {result.message or f'{result.failures} rows at fault'}" for result in failed
        ]
    save_report(company, report)
    say(scope, f"{sum(result.succeeded for result in results)} of {len(results)} seeds, models and tests succeeded")
    return results, progress.raw_events


def build_transform_assets(manifest_path: Path) -> list[dg.AssetsDefinition]:
    """Two steps, since a fault of the incentives must not keep the customer marts from being published."""
    names = translator()
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))

    def step(scope: Scope, context: dg.AssetExecutionContext, company: Company) -> Iterator[Any]:
        results, raw_events = build_scope(company, scope)
        for raw_event in raw_events:
            message = DbtCoreCliEventMessage(raw_event=raw_event, event_history_metadata={})
            yield from message.to_default_asset_events(manifest, names, context)
        failed = [result.name for result in results if not result.succeeded]
        if failed:
            raise dg.Failure(f"dbt: {', '.join(failed[:10])} failed or did not run", allow_retries=False)

    @dbt_assets(
        manifest=manifest_path,
        name="customer_marts",
        exclude=f"tag:{INCENTIVES_TAG}",
        dagster_dbt_translator=names,
    )
    def customer_marts(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[Any]:
        yield from step("marts", context, night.company)

    @dbt_assets(
        manifest=manifest_path,
        name="incentive_marts",
        select=f"tag:{INCENTIVES_TAG}",
        dagster_dbt_translator=names,
        op_tags={"dagster/priority": "10"},
    )
    def incentive_marts(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[Any]:
        yield from step("incentives", context, night.company)

    return [customer_marts, incentive_marts]
