"""Customer value: the models that dbt's Python models fit; scoring, back-tests and the choice between models are SQL."""
