"""One reader per format: every one turns a file into batches of text cells in contract order, with line numbers."""

from orchestration.landing.readers.base import Reading, Rejection, batch_schema
from orchestration.landing.readers.choose import read_file

__all__ = ["Reading", "Rejection", "batch_schema", "read_file"]
