"""What every commit must pass stops at a known weakness, and not where nobody can be asked for one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR

MAKE = """#!/bin/sh
echo "made $1"
if [ "$1" = audit ]; then echo "$AUDIT_SAYS" >&2; exit "$AUDIT_CODE"; fi
"""
FOUND = "Found 2 known vulnerabilities in 1 package\nmake: *** [Makefile:54: audit] Error 1"
ABSENT = "ERROR:pip_audit._cli:agate: Dependency not found on PyPI and could not be audited: agate (1.9.1)"
SILENT = "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"


@pytest.mark.parametrize(
    ("said", "audit_code", "code", "is_answered"),
    [
        ("No known vulnerabilities found", 0, 0, True),
        (FOUND, 2, 1, True),
        ("Found 1 known vulnerability in 1 package", 2, 1, True),
        (ABSENT, 2, 0, False),
        (SILENT, 2, 0, False),
    ],
)
def test_a_known_weakness_stops_a_commit_and_no_answer_is_said(
    tmp_path: Path, said: str, audit_code: int, code: int, is_answered: bool
) -> None:
    make = tmp_path / "make"
    make.write_text(MAKE, encoding="utf-8")
    make.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(PROJECT_DIR / ".ci" / "run")],
        env={**os.environ, "PATH": path, "AUDIT_SAYS": said, "AUDIT_CODE": str(audit_code)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert ("made test" in done.stdout) == (code == 0)
    assert ("no answer" in done.stdout) == (not is_answered)
    assert (said in done.stdout) == (audit_code != 0)
