"""Dagster's entry point: ``dagster dev -m orchestration.definitions``."""

from dagster import Definitions, definitions

from orchestration.defs.build import build_definitions


@definitions
def customer_scorecard() -> Definitions:
    """The whole platform of the chosen company."""
    return build_definitions()
