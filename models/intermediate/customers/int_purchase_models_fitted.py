"""One row per day with a fit and model segment: BG/NBD and Gamma-Gamma parameters, or the reason why there are none."""


def model(dbt, session):  # noqa: ANN001, ANN201
    """Maximum likelihood on grouped counts; see orchestration/value."""
    from orchestration.value.nightly import fit_models

    dbt.config(materialized="table")
    days = dbt.ref("int_value_days_listed")
    return fit_models(dbt.ref("int_histories_grouped"), dbt.ref("int_spend_grouped"), days)
