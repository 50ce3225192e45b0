"""One row per tested model, number of repeats and age: what the model expected of living customers until the test ended."""


def model(dbt, session):  # noqa: ANN001, ANN201
    """Expected purchases of distinct histories; see orchestration/value."""
    from orchestration.value.nightly import expect_for

    dbt.config(materialized="table")
    return expect_for(dbt.ref("int_holdout_purchases_asked"))
