"""What all commands share: where they print, how they choose the company, how they answer programs, how they stop."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, NoReturn

import duckdb
import typer
from rich.console import Console
from typer.core import TyperGroup

from orchestration.lock import NightIsBusy
from orchestration.pay_file import PayFileError
from orchestration.publishing.release import PublishRefused
from orchestration.settings import SettingsError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_WITHOUT_INCENTIVES = 3
EXIT_BUSY = 75

console = Console()
_errors = Console(stderr=True)
_answer: ContextVar[dict[str, Any] | None] = ContextVar("answer", default=None)

CompanyOption = Annotated[
    Path | None,
    typer.Option(
        "--company", help="Folder of the company (its company.yml); default: SCORECARD_COMPANY, then the sample."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs; amounts are text.")]


def choose(folder: Path | None) -> None:
    """The chosen company is passed on through the environment: Dagster's own processes read it there."""
    if folder is not None:
        os.environ["SCORECARD_COMPANY"] = str(folder.resolve())


def stop(message: str, code: int) -> NoReturn:
    """Say why and end with the exit code."""
    answer(error=message)
    _errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def plain(value: Any) -> Any:
    """A value as JSON has it: days and times in ISO 8601, amounts as text, as is what JSON has no number for."""
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if value is None or isinstance(value, int | str) or (isinstance(value, float) and isfinite(value)):
        return value
    return str(value)


def answer(**fields: Any) -> None:
    """What the command answers to a program; nothing where a person asked. ``rows`` alone are answered as an array."""
    if (answers := _answer.get()) is not None:
        answers.update(fields)


def is_for_a_program() -> bool:
    """Whether the command was asked for JSON."""
    return _answer.get() is not None


def _print_json(answers: dict[str, Any]) -> None:
    value = answers["rows"] if answers.keys() == {"rows"} else answers
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=1))


def with_messages(command: Callable[..., None]) -> Callable[..., None]:
    """The command with a message and an exit code, not a traceback, for what is wrong outside the code."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except (SettingsError, PayFileError) as error:
            stop(str(error), EXIT_USAGE)
        except NightIsBusy as error:
            stop(str(error), EXIT_BUSY)
        except BrokenPipeError:
            raise
        except (PublishRefused, OSError, duckdb.IOException) as error:
            stop(str(error), EXIT_FAILED)

    return run


def with_json(command: Callable[..., None]) -> Callable[..., None]:
    """The command with ``--json``: what it says to people is not printed, what it gives to ``answer`` is, as one object.
    An error is the field ``error``, and the message on standard error.
    """
    command = with_messages(command)

    @wraps(command)
    def run(*arguments: Any, as_json: bool = False, **options: Any) -> None:
        if not as_json:
            command(*arguments, **options)
            return
        answers: dict[str, Any] = {}
        token = _answer.set(answers)
        console.quiet = True
        try:
            command(*arguments, **options)
        except typer.Exit:
            raise
        except Exception as error:
            # Raised again: a program that asked has an object to read, whatever went wrong.
            answer(error=f"{type(error).__name__}: {error}")
            raise
        finally:
            console.quiet = False
            _answer.reset(token)
            if answers:
                _print_json(answers)

    # Evaluated here: whoever reads a signature that was set takes its annotations as they are.
    signature = inspect.signature(command, eval_str=True)
    option = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, "as_json": JsonOption}
    return run


class Commands(TyperGroup):
    """All commands; wrong usage, too, is said in JSON where that was asked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note whether a program asks."""
        ctx.meta["as_json"] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            if ctx.meta["as_json"]:
                _print_json({"error": error.format_message()})
            raise
