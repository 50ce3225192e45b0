"""Readers of DuckDB 1.4, 1.5 and 2 and of Arrow, each in an environment of its own, during publications."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.readers import READERS, read_while_publishing


@pytest.mark.soak
def test_readers_of_every_version_see_whole_releases_in_order(tmp_path: Path) -> None:
    found, _ = read_while_publishing(tmp_path, publications=30)
    assert [reading.reader for reading in found] == list(READERS)
    for reading in found:
        assert (reading.errors, reading.mixed, reading.backwards) == (0, 0, 0), reading
        assert reading.reads > 0, reading
        if "held" in reading.reader:
            assert reading.releases == 1, reading
        else:
            assert reading.releases > 1, reading
    assert [reading.version.rsplit(".", 1)[0] for reading in found[:3]] == ["1.4", "1.5", "2.0"]
