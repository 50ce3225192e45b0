"""One row per outcome, kind of unit, period, model (Markov, Shapley) and unit: its credit for the conversions."""


def model(dbt, session):  # noqa: ANN001, ANN201
    """Both work on distinct paths with counts; see orchestration/journey/attribution.py."""
    from orchestration.journey.attribution import credit_paths

    dbt.config(materialized="table")
    return credit_paths(dbt.ref("int_conversion_paths_counted"))
