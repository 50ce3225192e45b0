"""One row per day of use, outcome and touchpoint: what a bad experience there does, adjusted, with its interval."""


def model(dbt, session):  # noqa: ANN001, ANN201
    """Least squares with errors clustered by customer; see orchestration/journey/effects.py."""
    from orchestration.journey.effects import estimate_effects

    dbt.config(materialized="table")
    return estimate_effects(dbt.ref("int_touchpoint_trials_listed"), dbt.ref("int_key_touchpoints_dated"))
