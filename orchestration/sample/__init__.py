"""A synthetic retail chain: extracts in exactly the form of the input contract, planted truths in ``truth.json``."""

from orchestration.sample.generate import write_sample
from orchestration.sample.spec import SampleSpec, SampleSummary

__all__ = ["SampleSpec", "SampleSummary", "write_sample"]
