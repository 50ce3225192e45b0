"""What is tried again, and what is not."""

from __future__ import annotations

import errno

import duckdb
import pytest

from orchestration.landing import ContractError, LandingError
from orchestration.retrying import ATTEMPTS, with_retries


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (OSError(errno.EIO, "input/output error"), ATTEMPTS),
        (OSError(errno.ESTALE, "stale file handle"), ATTEMPTS),
        (caused(LandingError("locked"), duckdb.IOException("could not set lock on file")), ATTEMPTS),
        (OSError(errno.ENOSPC, "no space left on device"), 1),
        (caused(LandingError("full"), duckdb.IOException("write: No space left on device")), 1),
        (OSError(errno.EACCES, "permission denied"), 1),
        (ContractError("headers.yml line 3"), 1),
        (ValueError("a bug"), 1),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Exception, tries: int) -> None:
    waited: list[float] = []
    calls = 0

    def call() -> None:
        nonlocal calls
        calls += 1
        raise error

    with pytest.raises(type(error)):
        with_retries("landing", call, waited.append)
    assert calls == tries
    assert len(waited) == tries - 1


def test_the_second_try_counts() -> None:
    answers: list[object] = [OSError(errno.EIO, "away"), "there"]

    def call() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert with_retries("landing", call, lambda _: None) == "there"
