"""One row per model (the tested and the scoring one) and feature: weight and centre, or the reason why there is no model."""


def model(dbt, session):  # noqa: ANN001, ANN201
    """Calibrated logistic regression on past snapshots; see orchestration/value."""
    from orchestration.value.churn import train_models

    dbt.config(materialized="table")
    return train_models(dbt.ref("int_churn_features_computed"), dbt.ref("value_settings"))
