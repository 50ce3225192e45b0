"""A sample appears whole or not at all, the same on every machine, and in bounded memory."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.sample import SampleSpec, scratch, write_sample
from orchestration.settings import PROJECT_DIR

TINY = SampleSpec(scale=0.05, months=2, last_day=date(2026, 3, 31))

WRITES_UNTIL_KILLED = """
import sys
from datetime import date
from pathlib import Path
from orchestration.sample import SampleSpec, write_sample

def wait_in_the_second_month(message):
    print(message, flush=True)
    if message.startswith("2026-02"):
        sys.stdin.read()

write_sample(Path(sys.argv[1]), SampleSpec(scale=0.05, months=2, last_day=date(2026, 3, 31)), wait_in_the_second_month)
"""


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("tiny") / "extracts", TINY, threads=1).extracts_dir


def test_one_specification_gives_the_same_bytes_whatever_the_threads(tiny: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "extracts", TINY, threads=2)
    assert tree_hash(tmp_path / "extracts") == tree_hash(tiny)


def test_little_memory_gives_the_same_bytes(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "MEMORY_LIMIT", "80MB")
    write_sample(tmp_path / "extracts", TINY)
    assert tree_hash(tmp_path / "extracts") == tree_hash(tiny)


def test_another_seed_gives_another_chain(tiny: Path, tmp_path: Path) -> None:
    other = SampleSpec(seed=1, scale=0.05, months=2, last_day=date(2026, 3, 31))
    write_sample(tmp_path / "extracts", other)
    assert tree_hash(tmp_path / "extracts") != tree_hash(tiny)


def test_a_killed_run_leaves_no_half_sample_and_the_next_one_clears_up(tiny: Path, tmp_path: Path) -> None:
    target = tmp_path / "extracts"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES_UNTIL_KILLED, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_DIR,
    )
    assert process.stdin and process.stdout
    while not process.stdout.readline().startswith("2026-02"):
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()

    assert not target.exists()
    assert [path.name[:8] for path in tmp_path.iterdir()] == [".sample-"]
    write_sample(target, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["extracts"]
    assert tree_hash(target) == tree_hash(tiny)


def test_a_failing_run_leaves_nothing(tmp_path: Path) -> None:
    def fail(message: str) -> None:
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        write_sample(tmp_path / "extracts", TINY, fail)
    assert list(tmp_path.iterdir()) == []


def test_extracts_that_are_there_are_never_touched(tmp_path: Path) -> None:
    delivered = tmp_path / "extracts" / "sales" / "order_lines" / "order_lines_2026-01-01.csv"
    delivered.parent.mkdir(parents=True)
    delivered.write_text("order_id\n", encoding="utf-8")
    with pytest.raises(FileExistsError, match="already holds extracts"):
        write_sample(tmp_path / "extracts", TINY)
    assert delivered.read_text(encoding="utf-8") == "order_id\n"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "extracts").mkdir()
    summary = write_sample(tmp_path / "extracts", SampleSpec(scale=0.01, months=1, last_day=date(2026, 3, 9)))
    assert summary.truth_path.is_file()


def test_a_link_to_another_disk_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "extracts").symlink_to(tmp_path / "disk")
    write_sample(tmp_path / "extracts", SampleSpec(scale=0.01, months=1, last_day=date(2026, 3, 9)))
    assert (tmp_path / "extracts").is_symlink()
    assert (tmp_path / "disk" / "truth.json").is_file()


@pytest.mark.parametrize(
    "wrong",
    [{"scale": 0}, {"scale": float("inf")}, {"months": -1}, {"customers": 0}, {"months": 400}, {"months": 10**6}],
)
def test_a_size_that_makes_no_chain_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be a positive number|before the year 2000"):
        SampleSpec(**wrong)


@pytest.mark.soak
def test_the_default_chain_has_the_size_it_promises(tmp_path: Path) -> None:
    summary = write_sample(tmp_path / "extracts")
    assert 1_500 <= summary.files <= 2_200
    assert 350_000 <= summary.unique_keys["sales/order_lines"] <= 500_000
    assert 60_000 <= summary.unique_keys["survey/responses"] <= 100_000
    assert 3 <= summary.unique_keys["survey/invitations"] / summary.unique_keys["survey/responses"] <= 4
    assert summary.unique_keys["sales/stores"] == 40
    assert summary.unique_keys["sales/customers"] == 20_000
