"""Journey maps as pictures: one HTML file per company, segment and store, with the flow and the health of the touchpoints.

The files need nothing but themselves: the picture is inline SVG, the style is in the page, nothing is loaded from elsewhere.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, Literal

import duckdb

Language = Literal["en", "zh"]

LEVELS = ("company", "segment", "store")
WIDTH, HEIGHT, NODE_WIDTH, GAP, MARGIN = 1180, 560, 13, 9, 24
# Colour-blind safe (Okabe and Ito 2008), one per stage; grey is where a journey ends.
STAGE_COLOURS = {"contact": "#56b4e9", "purchase": "#009e73", "use": "#e69f00", "after_sales": "#cc79a7"}
OTHER_COLOUR = "#9aa0a6"
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Customer journey", "flow": "Where customers go, step by step", "health": "How the touchpoints are doing",
        "start": "Start", "end": "End", "later": "Later", "touchpoint": "Touchpoint", "events": "Touches", "csat": "CSAT",
        "ces": "CES", "nps": "NPS", "detractors": "Detractors", "drop_off": "Journeys end here", "rework": "Rework",
        "hours": "Hours to next", "answers": "answers", "journeys": "journeys", "nothing": "no journeys in this quarter",
        "from": "Quarter from", "contact": "contact", "purchase": "purchase", "use": "use", "after_sales": "after-sales",
        "maps": "Journey maps", "company": "Company", "segment": "Segments", "store": "Stores",
    },
    "zh": {
        "title": "客户旅程", "flow": "客户流向（逐步）", "health": "触点健康度",
        "start": "开始", "end": "结束", "later": "后续", "touchpoint": "触点", "events": "接触次数", "csat": "满意度",
        "ces": "费力度", "nps": "净推荐值", "detractors": "贬损者", "drop_off": "旅程在此结束", "rework": "返工",
        "hours": "到下一步（小时）", "answers": "份回答", "journeys": "段旅程", "nothing": "本季度没有旅程",
        "from": "季度起始", "contact": "接触", "purchase": "购买", "use": "使用", "after_sales": "售后",
        "maps": "旅程地图", "company": "公司", "segment": "客群", "store": "门店",
    },
}  # fmt: skip


class MapError(Exception):
    """There is nothing to draw, or not for the period that was asked for."""


@dataclass(frozen=True)
class Edge:
    """So many journeys moved from one node to the next at a step."""

    step: int
    source: str
    target: str
    count: int


@dataclass(frozen=True)
class Node:
    """A bar of the picture: a touchpoint at a column, with its place."""

    column: int
    name: str
    count: int
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Band:
    """A move as a band between two bars."""

    edge: Edge
    source_x: float
    source_y: float
    target_x: float
    target_y: float
    height: float


def place_flow(edges: Sequence[Edge]) -> tuple[list[Node], list[Band]]:
    """Bars and bands of a flow: a column per step, bars as high as the journeys in them, ends at the bottom.

    What arrives at a bar and what leaves it are the same height, because the flow conserves its journeys.
    """
    volume: dict[tuple[int, str], int] = defaultdict(int)
    for edge in edges:
        volume[edge.step + 1, edge.target] += edge.count
        if edge.step == 0:
            volume[0, edge.source] += edge.count
    if not volume:
        return [], []
    columns: dict[int, list[str]] = defaultdict(list)
    for column, name in sorted(volume, key=lambda node: (node[0], node[1] == "end", -volume[node], node[1])):
        columns[column].append(name)
    highest = max(sum(volume[column, name] for name in names) for column, names in columns.items())
    most = max(len(names) for names in columns.values())
    scale = (HEIGHT - 2 * MARGIN - GAP * (most - 1)) / highest
    step_width = (WIDTH - 2 * MARGIN - 120) / max(1, len(columns) - 1)
    nodes: dict[tuple[int, str], Node] = {}
    for column, names in columns.items():
        y = float(MARGIN)
        for name in names:
            height = volume[column, name] * scale
            nodes[column, name] = Node(column, name, volume[column, name], MARGIN + column * step_width, y, height)
            y += height + GAP
    leaving = {key: node.y for key, node in nodes.items()}
    arriving = dict(leaving)
    bands = []
    order = sorted(
        edges, key=lambda edge: (edge.step, nodes[edge.step, edge.source].y, nodes[edge.step + 1, edge.target].y)
    )
    for edge in order:
        source, target = (edge.step, edge.source), (edge.step + 1, edge.target)
        height = edge.count * scale
        bands.append(
            Band(edge, nodes[source].x + NODE_WIDTH, leaving[source], nodes[target].x, arriving[target], height)
        )
        leaving[source] += height
        arriving[target] += height
    return list(nodes.values()), bands


def draw_flow(edges: Sequence[Edge], name_of: Callable[[str], str], colour_of: Callable[[str], str]) -> str:
    """The flow as one SVG element; bands and bars say what they are when pointed at."""
    nodes, bands = place_flow(edges)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" xmlns="http://www.w3.org/2000/svg">']
    for band in bands:
        middle = (band.source_x + band.target_x) / 2
        height = max(band.height, 0.4)
        label = f"{name_of(band.edge.source)} → {name_of(band.edge.target)}: {band.edge.count:,}"
        # An area between two curves: a broad stroke would fold over itself where it bends.
        parts.append(
            f'<path d="M{band.source_x:.1f},{band.source_y:.1f} C{middle:.1f},{band.source_y:.1f} '
            f"{middle:.1f},{band.target_y:.1f} {band.target_x:.1f},{band.target_y:.1f} v{height:.2f} "
            f"C{middle:.1f},{band.target_y + height:.1f} {middle:.1f},{band.source_y + height:.1f} "
            f'{band.source_x:.1f},{band.source_y + height:.1f} Z" fill="{colour_of(band.edge.target)}" '
            f'fill-opacity="0.32"><title>{escape(label)}</title></path>'
        )
    labels = []
    for node in nodes:
        parts.append(
            f'<rect x="{node.x:.1f}" y="{node.y:.1f}" width="{NODE_WIDTH}" height="{max(node.height, 0.8):.2f}" '
            f'fill="{colour_of(node.name)}"><title>{escape(name_of(node.name))}: {node.count:,}</title></rect>'
        )
        if node.height >= 9:
            labels.append(
                f'<text x="{node.x + NODE_WIDTH + 4:.1f}" y="{node.y + node.height / 2 + 4:.1f}">'
                f"{escape(name_of(node.name))} <tspan>{node.count:,}</tspan></text>"
            )
    # Labels last: no bar hides them.
    parts += labels
    parts.append("</svg>")
    return "".join(parts)


def _percent(value: float | None, low: float | None, high: float | None, n: int, words: dict[str, str]) -> str:
    if value is None:
        return "<td></td>"
    return (
        f'<td title="{n:,} {words["answers"]}">{100 * value:.1f}%<small>{100 * (low or 0):.0f} – '
        f"{100 * (high or 0):.0f}</small></td>"
    )


def _health_table(rows: Iterable[dict[str, Any]], name_of: Callable[[str], str], words: dict[str, str]) -> str:
    heads = ("touchpoint", "events", "csat", "ces", "nps", "detractors", "drop_off", "rework", "hours")
    lines = ["<table><thead><tr>", *(f"<th>{escape(words[head])}</th>" for head in heads), "</tr></thead><tbody>"]
    for row in rows:
        # The redder, the more of those who answered would advise against it.
        shade = min(0.6, row["detractor_ratio"] or 0)
        nps = (
            "<td></td>"
            if row["nps"] is None
            else f'<td title="{row["nps_n"]:,} {words["answers"]}">{row["nps"]:+.1f}<small>{row["nps_low"]:.0f} – '
            f"{row['nps_high']:.0f}</small></td>"
        )
        hours = "" if row["median_hours_to_next"] is None else f"{row['median_hours_to_next']:,.1f}"
        lines += [
            f'<tr><th scope="row" style="border-left-color:{STAGE_COLOURS.get(row["stage_code"], OTHER_COLOUR)}">'
            f"{escape(name_of(row['touchpoint_code']))}</th><td>{row['event_count']:,}</td>",
            _percent(row["csat_ratio"], row["csat_low"], row["csat_high"], row["csat_n"], words),
            _percent(row["ces_ratio"], row["ces_low"], row["ces_high"], row["ces_n"], words),
            nps,
            _percent(row["detractor_ratio"], row["detractor_low"], row["detractor_high"], row["nps_n"], words).replace(
                "<td", f'<td style="background:rgba(213,94,0,{shade:.2f})"', 1
            ),
            _percent(
                row["drop_off_ratio"], row["drop_off_low"], row["drop_off_high"], row["settled_count"], words
            ).replace(f" {words['answers']}", f" {words['journeys']}", 1),
            f"<td>{row['rework_count']:,}</td><td>{hours}</td></tr>",
        ]
    return "".join([*lines, "</tbody></table>"])


_STYLE = (
    "body{font:14px/1.45 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2rem auto;max-width:1200px;"
    "padding:0 1rem;color:#202124}svg{width:100%;height:auto}text{font-size:11px;fill:#202124;paint-order:stroke;"
    "stroke:#fff;stroke-width:3px}tspan{fill:#5f6368}table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid #e0e0e0}"
    "th:first-child{text-align:left}tbody th{border-left:6px solid;font-weight:500}small{display:block;color:#5f6368}"
    ".legend span{display:inline-block;margin-right:1.2rem}.legend i{display:inline-block;width:.8rem;height:.8rem;"
    "margin-right:.35rem}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}"
)


def _page(title: str, body: str, language: Language) -> str:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>\n'
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, list(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def touchpoint_names(path: Path, language: Language) -> dict[str, str]:
    """Names of touchpoints in the company's policy; the last row of a code counts."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["touchpoint_code"]: row[f"name_{language}"] for row in csv.DictReader(file)}


def file_name(level: str, entity: str) -> str:
    """A name that stays in its folder, whatever the entity is called; two entities never share one."""
    plain = re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found[0]):x}.", entity)
    return f"{level}_{plain}.html"


def write_maps(
    marts: duckdb.DuckDBPyConnection,
    folder: Path,
    company_name: str,
    names: dict[str, str],
    language: Language = "en",
    period: date | None = None,
) -> list[Path]:
    """Write the maps of one quarter (default: the last one) and an index; returns the files written.

    Raises:
        MapError: no journey is published for the quarter.

    """
    words = WORDS[language]
    quarters = [day for (day,) in marts.execute("select distinct period_start from journey.sankey_edges").fetchall()]
    chosen = period or max(quarters, default=None)
    if chosen is None or chosen not in quarters:
        known = ", ".join(str(day) for day in sorted(quarters)) or "none"
        raise MapError(f"no journeys are published for the quarter from {chosen}; quarters with journeys: {known}")
    stages = dict(
        marts.execute("select distinct touchpoint_code, stage_code from journey.touchpoint_health").fetchall()
    )
    stores = dict(marts.execute("select store_id, store_name from core.stores").fetchall())

    def name_of(code: str) -> str:
        return words[code] if code in ("start", "end", "later") else names.get(code, code)

    def colour_of(code: str) -> str:
        return STAGE_COLOURS.get(stages.get(code) or "", OTHER_COLOUR)

    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(words[stage])}</span>'
        for stage, colour in STAGE_COLOURS.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    index = [f"<h1>{escape(words['maps'])} · {escape(company_name)}</h1><p>{escape(words['from'])} {chosen}</p>"]
    for level in LEVELS:
        entities = marts.execute(
            "select distinct entity_id from journey.sankey_edges where level = ? and period_start = ? order by entity_id",
            [level, chosen],
        ).fetchall()
        index.append(f"<h2>{escape(words[level])}</h2><ul>")
        for (entity,) in entities:
            edges = [
                Edge(*row)
                for row in marts.execute(
                    "select step_no, from_touchpoint, to_touchpoint, journey_count from journey.sankey_edges "
                    "where level = ? and entity_id = ? and period_start = ? "
                    "order by step_no, from_touchpoint, to_touchpoint",
                    [level, entity, chosen],
                ).fetchall()
            ]
            health = _rows(
                marts,
                "select * from journey.touchpoint_health where level = ? and entity_id = ? and period_type = 'quarter' "
                "and period_start = ? order by event_count desc, touchpoint_code",
                [level, entity, chosen],
            )
            shown = company_name if level == "company" else stores.get(entity) or entity
            title = f"{words['title']} · {shown}"
            journeys = sum(edge.count for edge in edges if edge.step == 0)
            path = folder / file_name(level, entity)
            path.write_text(
                _page(
                    title,
                    f"<h1>{escape(title)}</h1><p>{escape(words['from'])} {chosen} · {journeys:,} {words['journeys']}</p>"
                    f'<p class="legend">{legend}</p><h2>{escape(words["flow"])}</h2>'
                    f"{draw_flow(edges, name_of, colour_of)}<h2>{escape(words['health'])}</h2>"
                    f"{_health_table(health, name_of, words)}",
                    language,
                ),
                encoding="utf-8",
            )
            written.append(path)
            index.append(f'<li><a href="{path.name}">{escape(shown)}</a> ({journeys:,})</li>')
        index.append("</ul>")
    path = folder / "index.html"
    path.write_text(_page(words["maps"], "".join(index), language), encoding="utf-8")
    return [path, *written]
