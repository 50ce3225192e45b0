"""Prints an explained statement as text, in English or Chinese."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.ledger.explain import Explained, ExplainedStatement, Language

_TEXT: dict[str, dict[Language, str]] = {
    "state": {"en": "state", "zh": "状态"},
    "prepared": {"en": "prepared by", "zh": "编制人"},
    "approved": {"en": "approved by", "zh": "审批人"},
    "as_of": {"en": "as of", "zh": "数据截至"},
    "plan": {"en": "plan", "zh": "方案"},
    "role": {"en": "role", "zh": "岗位"},
    "part": {"en": "days", "zh": "天数"},
    "base": {"en": "base for these days", "zh": "本段基数"},
    "score": {"en": "score", "zh": "得分"},
    "factor": {"en": "factor by the curve", "zh": "曲线系数"},
    "gate": {"en": "gate", "zh": "门槛"},
    "measure": {"en": "measure", "zh": "指标"},
    "value": {"en": "value", "zh": "数值"},
    "n": {"en": "n", "zh": "样本数"},
    "interval": {"en": "95 % interval", "zh": "95%区间"},
    "target": {"en": "target", "zh": "目标"},
    "points": {"en": "points", "zh": "分数"},
    "weight": {"en": "weight", "zh": "权重"},
    "amount": {"en": "amount", "zh": "金额"},
    "sum": {"en": "statement", "zh": "合计"},
    "adjustments": {"en": "adjustments paid in this period", "zh": "本期调整"},
    "corrects": {"en": "corrects", "zh": "更正"},
    "none": {"en": "none", "zh": "无"},
    "holds": {"en": "on hold, not paid", "zh": "暂停发放"},
    "disputes": {"en": "disputes", "zh": "申诉"},
    "total": {"en": "total", "zh": "应付总额"},
    "rows": {"en": "counted", "zh": "计入"},
    "excluded": {"en": "excluded", "zh": "排除"},
    "of": {"en": "of", "zh": "共"},
}
_WORDS: dict[str, str] = {
    "open": "未结", "calculated": "已计算", "approved": "已审批", "closed": "已结账", "paid": "已发放", "shut": "未达标",
    "not_measured": "未测量", "no_gate": "无门槛", "scored": "已评分", "not_reportable": "样本不足", "no_value": "无数值",
    "no_target": "无目标", "applied": "已应用", "no_score": "无评分",
}  # fmt: skip
_GATE_WORDS: dict[str, str] = {"open": "达标"}


def _word(code: Any, language: Language, gate: bool = False) -> str:
    text = str(code)
    if language == "en":
        return text.replace("_", " ")
    return (_GATE_WORDS.get(text) if gate else None) or _WORDS.get(text, text)


def plain_number(value: Any, places: int = 4) -> str:
    """A number at no more places than it needs; nothing where there is none."""
    if value is None:
        return ""
    number = Decimal(str(value))
    rounded = number.quantize(Decimal(1).scaleb(-places)).normalize() if abs(number) < 10**20 else number
    return f"{rounded:,f}"


def measured(value: Any, scale: Any) -> str:
    """A number of a result as a person reads it: three places where the result is a share, else one."""
    return plain_number(value, 3 if scale is None or abs(Decimal(str(scale))) < 2 else 1)


def money(value: Any, currency_code: Any) -> str:
    """An amount to the cent with its currency."""
    return f"{Decimal(str(value)):,.2f} {currency_code}"


def print_explained(explained: Explained, language: Language, console: Console) -> None:
    """Print all of it."""

    def label(name: str) -> str:
        return _TEXT[name][language]

    head = Table(show_header=False, box=None, title=f"{explained.employee_id}  {explained.key}", title_justify="left")
    head.add_row(label("state"), _word(explained.state, language))
    head.add_row(label("as_of"), f"{explained.as_of}  ({explained.release_id})")
    if explained.prepared_by:
        head.add_row(label("prepared"), escape(explained.prepared_by))
    if explained.approved_by:
        head.add_row(label("approved"), escape(explained.approved_by))
    console.print(head)
    for statement in explained.statements:
        _print_statement(statement, language, console)
    console.print(f"\n{label('adjustments')}:", markup=False)
    for row in explained.adjustments:
        console.print(
            f"  {row['adjustment_id']}  {row['adjustment_type']}  {money(row['amount'], row['currency_code'])}  "
            f"{label('corrects')} {row['statement_id']} {row['line_key']}: {row['reason']}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if not explained.adjustments:
        console.print(f"  {label('none')}", markup=False)
    for name, rows in (("holds", explained.holds), ("disputes", explained.disputes)):
        for row in rows:
            shown = ", ".join(str(value) for value in row.values() if value is not None)
            console.print(f"{label(name)}: {shown}", markup=False, highlight=False, soft_wrap=True)
    for currency_code, total in explained.totals.items():
        console.print(f"{label('total')}: {money(total, currency_code)}", style="bold", markup=False, highlight=False)


def _print_statement(statement: ExplainedStatement, language: Language, console: Console) -> None:
    def label(name: str) -> str:
        return _TEXT[name][language]

    cells, currency = statement.cells, statement.cells["currency_code"]
    facts = Table(show_header=False, box=None, title=f"\n{statement.statement_id}", title_justify="left")
    facts.add_row(label("plan"), escape(f"{statement.plan_name} ({cells['plan_code']})"))
    facts.add_row(label("role"), f"{cells['job_role']}  {cells['store_id'] or ''} {cells['department_code'] or ''}")
    facts.add_row(
        label("part"),
        f"{cells['part_start']} .. {cells['part_end']}: {plain_number(cells['worked_days'])} / {cells['period_days']}",
    )
    facts.add_row(label("base"), money(cells["gross_amount"], currency))
    facts.add_row(label("score"), plain_number(cells["score"]) or label("none"))
    facts.add_row(label("factor"), plain_number(cells["payout_factor"], 6))
    facts.add_row(
        label("gate"), f"{_word(cells['gate_status'], language, gate=True)} {cells['gate_measure_code'] or ''}"
    )
    console.print(facts)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(label("measure"), min_width=16, overflow="fold")
    for name in ("value", "n", "interval", "target", "points", "weight"):
        table.add_column(label(name), justify="right", no_wrap=True)
    table.add_column(f"{label('amount')} {currency}", justify="right", no_wrap=True)
    for line in statement.lines:
        row = line.cells
        note = "" if row["status"] in {"scored", "applied"} else f" ({_word(row['status'], language, gate=True)})"
        scale = row["target"] if row["value"] is None else row["value"]
        interval = f"{measured(row['ci_low'], scale)}..{measured(row['ci_high'], scale)}" if row["ci_low"] else ""
        weight = row["effective_weight"] or row["weight"]
        table.add_row(
            # Under its name the key of the line, which a dispute or an adjustment asks for.
            f"{escape(line.name + note)}\n[dim]{escape(line.line_key)}[/dim]", measured(row["value"], scale),
            row["n"] or "", interval, measured(row["target"], scale), plain_number(row["points"], 1),
            plain_number(weight, 3), f"{Decimal(str(row['amount'])):,.2f}",
        )  # fmt: skip
    table.add_row(label("sum"), "", "", "", "", "", "", f"{Decimal(str(cells['amount'])):,.2f}", style="bold")
    console.print(table)
    for line in statement.lines:
        if line.rows is None:
            continue
        console.print(
            f"{line.line_key}  {line.name}: {line.rows.counted} {label('rows')}, {line.rows.excluded} "
            f"{label('excluded')} ({line.rows.table})",
            markup=False,
            highlight=False,
        )
        for record in line.rows.rows:
            console.print(
                "    " + "  ".join(f"{name}={value}" for name, value in record.items() if value is not None),
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
