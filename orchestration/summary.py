"""The few lines a person reads in the morning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.pay_file import open_file
from orchestration.publishing.release import current_release
from orchestration.settings import Company
from orchestration.state import NightReport

if TYPE_CHECKING:
    from orchestration.simulation import Simulation

_HEADLINES = {
    "published": "[green]published[/green]",
    "published_without_incentives": "[yellow]published without new incentives[/yellow]",
    "unchanged": "[green]nothing new, the release in place stands[/green]",
    "failed": "[red]failed, the last good release stays[/red]",
}


def company_figures(marts_path: Path, currency_code: str) -> dict[str, str]:
    """The company's CSAT, NPS and revenue of the last month that has them, as text with month and interval."""
    connection = duckdb.connect(str(marts_path), read_only=True)
    try:
        rows = connection.execute(
            """
            select measure_code, period_start, value, ci_low, ci_high, n
            from kpi.kpi_results
            where level = 'company' and period_type = 'month' and value is not null
                and measure_code in ('csat', 'nps', 'revenue')
            qualify row_number() over (partition by measure_code order by period_start desc) = 1
            """
        ).fetchall()
    finally:
        connection.close()
    figures = {}
    for code, month, value, low, high, n in rows:
        shown = {"csat": f"{value:.1%}", "nps": f"{value:+.1f}", "revenue": f"{value:,.2f} {currency_code}"}[code]
        if low is not None:
            bounds = (f"{low:.1%}", f"{high:.1%}") if code == "csat" else (f"{low:+.1f}", f"{high:+.1f}")
            shown += f"  ({bounds[0]} to {bounds[1]}, n={n:,})"
        figures[code] = f"{shown}  in {month:%Y-%m}"
    return figures


def statement_count(incentives_path: Path) -> tuple[int, int]:
    """Statements in all, and people who have one."""
    with open_file(incentives_path) as connection:
        row = connection.execute("select count(*), count(distinct employee_id) from incentive.statements").fetchall()[0]
    return int(row[0]), int(row[1])


def _shown(path: Path) -> str:
    """Relative where it lies below the working directory: short enough for one line, and it can be pasted."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _one_line(text: str, width: int = 300) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 3] + "..."


def print_summary(company: Company, report: NightReport, console: Console) -> None:
    """Print what the night did and what readers see now."""
    table = Table(title=escape(company.name), show_header=False, title_justify="left", title_style="bold", box=None)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    landing = report.landing
    table.add_row("night", f"{_HEADLINES[report.outcome]}" + (f", as of {report.as_of}" if report.as_of else ""))
    if landing:
        table.add_row(
            "files",
            f"{landing['files_landed']:,} landed, {landing['files_duplicate']:,} known already, "
            f"{landing['files_refused']:,} refused, {landing['files_waiting']:,} waiting, of {landing['files_seen']:,}",
        )
        table.add_row("rows", f"{landing['rows_landed']:,} landed, {landing['rows_quarantined']:,} in quarantine")
    if report.outcome != "unchanged":
        table.add_row("built", f"{report.built:,} seeds and models")
    if report.checks_passed or report.checks_failed:
        table.add_row("checks", f"{report.checks_passed:,} passed, {report.checks_failed:,} failed")
    for name in report.checks_gone[:10]:
        table.add_row("[yellow]no longer[/yellow]", escape(_one_line(name)))
    if len(report.checks_gone) > 10:
        table.add_row("", f"and {len(report.checks_gone) - 10} more in the log")
    for reason in report.reasons[:10]:
        table.add_row("[red]because[/red]", escape(_one_line(reason)))
    if len(report.reasons) > 10:
        table.add_row("", f"and {len(report.reasons) - 10} more in meta.check_results or the log")
    release = current_release(company)
    if release is None:
        table.add_row("readers see", "nothing yet")
        console.print(table)
        return
    table.add_row("readers see", f"release {release.release_id}")
    table.add_row("  for BI", _shown(company.published_dir / "current" / "marts.duckdb"))
    figures = company_figures(release.marts_path, company.currency_code)
    for code, label in (("csat", "  CSAT"), ("nps", "  NPS"), ("revenue", "  revenue")):
        table.add_row(label, figures.get(code, "[dim]no result yet[/dim]"))
    if release.verdict.incentives_sha256 is None:
        table.add_row("  for payroll", "nothing yet: no night's incentives have passed their checks")
    else:
        statements, people = statement_count(release.incentives_path)
        table.add_row("  for payroll", _shown(company.published_dir / "current" / "incentives.duckdb"))
        table.add_row("  statements", f"{statements:,} for {people:,} people")
        if not release.verdict.incentives_are_new:
            table.add_row("", f"[yellow]these are of release {release.verdict.incentives_release_id}[/yellow]")
    console.print(table)


def print_simulation(simulation: Simulation, console: Console, top: int) -> None:
    """Print the cost of a changed policy and who gains and loses most."""
    console.print(f"Period from {simulation.period_start}, with {', '.join(simulation.changed_seeds)}", highlight=False)
    for currency, (real, simulated) in simulation.totals().items():
        console.print(
            f"  cost {real:,.2f} {currency}, simulated {simulated:,.2f} ({simulated - real:+,.2f})", highlight=False
        )
    unchanged = len(simulation.differences) - len(simulation.gainers) - len(simulation.losers)
    console.print(
        f"  {len(simulation.gainers)} gain, {len(simulation.losers)} lose, {unchanged} stay as they are",
        highlight=False,
    )
    for title, people in (("gain", simulation.gainers), ("lose", simulation.losers)):
        for person in people[:top]:
            console.print(
                f"  {title}  {person.employee_id}  {person.plan_code}  {person.real:,.2f} -> {person.simulated:,.2f}  "
                f"({person.change:+,.2f} {person.currency_code})",
                highlight=False,
                soft_wrap=True,
            )
