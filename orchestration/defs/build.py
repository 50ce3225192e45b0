"""Puts the graph together for one company."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg

from orchestration.defs.company import NightResource
from orchestration.defs.erasure import build_erasure
from orchestration.defs.landing import build_landing_assets
from orchestration.defs.ledger import build_ledger_jobs
from orchestration.defs.publish import build_publish_assets
from orchestration.defs.quality import build_quality_assets
from orchestration.defs.transform import build_transform_assets, translator
from orchestration.defs.within_the_day import build_refresh
from orchestration.night import code_version, hash_policy
from orchestration.publishing.candidate import INCENTIVES_SCHEMAS, MARTS_SCHEMAS
from orchestration.settings import PROJECT_DIR, Company, load_company
from orchestration.transform import parsed_project

NIGHTLY_JOB = "nightly"


def manifest_of(company: Company) -> Path:
    """The company's dbt manifest, written anew when the project or the seeds are newer than it."""
    path = company.dbt_target_dir / "manifest.json"
    folders = (PROJECT_DIR / "models", PROJECT_DIR / "macros", PROJECT_DIR / "tests" / "dbt", company.seeds_dir)
    files = [PROJECT_DIR / "dbt_project.yml", *(file for folder in folders for file in folder.rglob("*.*"))]
    if not path.is_file() or path.stat().st_mtime < max(file.stat().st_mtime for file in files):
        parsed_project(company, code_version() + hash_policy(company))
    return path


def build_definitions() -> dg.Definitions:
    """All assets, checks and jobs, the schedule and the sensor, for the company that ``SCORECARD_COMPANY`` chooses."""
    company = load_company()
    manifest_path = manifest_of(company)
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    names = translator()
    source_keys = [names.get_asset_key(node) for node in manifest["sources"].values()]
    marts = [
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    ]
    mart_keys = [names.get_asset_key(node) for node in marts if node["schema"] in MARTS_SCHEMAS]
    incentive_keys = [names.get_asset_key(node) for node in marts if node["schema"] in INCENTIVES_SCHEMAS]

    candidates, checks = build_quality_assets(mart_keys, incentive_keys)
    nightly = dg.define_asset_job(
        NIGHTLY_JOB,
        selection=dg.AssetSelection.all(),
        description="Land, build, check, publish.",
        executor_def=dg.in_process_executor,
    )
    erasure_jobs, erasure_sensors = build_erasure(nightly)
    refresh_job, survey_sensor = build_refresh()
    return dg.Definitions(
        assets=[
            *build_landing_assets(source_keys),
            *build_transform_assets(manifest_path),
            *candidates,
            *build_publish_assets(),
        ],
        asset_checks=checks,
        jobs=[nightly, refresh_job, *build_ledger_jobs(), *erasure_jobs],
        sensors=[survey_sensor, *erasure_sensors],
        schedules=[
            dg.ScheduleDefinition(
                name="nightly_at_two",
                job=nightly,
                cron_schedule="0 2 * * *",
                execution_timezone=company.time_zone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
            )
        ],
        resources={"night": NightResource()},
        executor=dg.in_process_executor,
    )
