"""One row per model in use, horizon, number of repeats and age: purchases expected of living customers, also discounted."""


def model(dbt, session):  # noqa: ANN001, ANN201
    """Expected purchases of distinct histories; see orchestration/value."""
    from orchestration.value.nightly import expect_for

    dbt.config(materialized="table")
    return expect_for(dbt.ref("int_purchases_asked"))
