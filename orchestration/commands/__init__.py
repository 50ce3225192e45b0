"""The commands of ``scorecard``, one module per theme."""
