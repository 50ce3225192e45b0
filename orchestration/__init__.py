"""Lands extracts, runs dbt, gates and publishes: the nightly refresh of the customer scorecard."""
