"""Journey maps: the picture conserves its flow, says what is asked, and is safe whatever things are called."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from orchestration.journey.maps import Edge, MapError, draw_flow, file_name, place_flow, write_maps

EDGES = [
    Edge(0, "start", "ad", 30),
    Edge(0, "start", "till", 70),
    Edge(1, "ad", "till", 20),
    Edge(1, "ad", "end", 10),
    Edge(1, "till", "end", 70),
    Edge(2, "till", "end", 20),
]
NASTY = '<script>alert("x")</script>'


def test_what_arrives_at_a_bar_fills_it_and_what_leaves_it_too() -> None:
    nodes, bands = place_flow(EDGES)
    heights = {(node.column, node.name): node.height for node in nodes}
    for (column, name), height in heights.items():
        arriving = sum(band.height for band in bands if (band.edge.step + 1, band.edge.target) == (column, name))
        leaving = sum(band.height for band in bands if (band.edge.step, band.edge.source) == (column, name))
        if name != "start":
            assert arriving == pytest.approx(height)
        if name != "end":
            assert leaving == pytest.approx(height)
    for column in {node.column for node in nodes}:
        bars = sorted((node for node in nodes if node.column == column), key=lambda node: node.y)
        assert all(above.y + above.height < below.y for above, below in pairwise(bars))


def test_the_picture_is_well_formed_and_names_are_text() -> None:
    root = ElementTree.fromstring(
        draw_flow([Edge(0, "start", NASTY, 3), Edge(1, NASTY, "end", 3)], str, lambda _: "#000")
    )
    assert root.tag.endswith("svg")
    assert any(NASTY in (title.text or "") for title in root.iter() if title.tag.endswith("title"))
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_nothing_moves_and_nothing_is_drawn() -> None:
    assert place_flow([]) == ([], [])


def test_files_of_different_entities_differ_and_stay_in_their_folder() -> None:
    names = [file_name("store", entity) for entity in ("../../etc", "a/b", "a.b", "a b", "门店", "a", "A.2f.b")]
    assert len(set(names)) == len(names)
    assert all(
        re.fullmatch(r"[A-Za-z0-9_.-]+", name) and "/" not in name and not name.startswith(".") for name in names
    )


@pytest.fixture
def marts() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema journey; create schema core")
    connection.execute("create table core.stores as select 's1' as store_id, 'Shop & Co' as store_name")
    connection.execute(
        "create table journey.sankey_edges as select date '2026-04-01' as period_start, level, entity_id, step_no, "
        "from_touchpoint, to_touchpoint, journey_count "
        f"from (values ('company', 'company'), ('store', 's1'), ('segment', '{NASTY}')) as e(level, entity_id) "
        "cross join (values (0, 'start', 'till', 5), (1, 'till', 'end', 5)) "
        "as m(step_no, from_touchpoint, to_touchpoint, journey_count)"
    )
    connection.execute(
        """
        create table journey.touchpoint_health as
        select 'quarter' as period_type, date '2026-04-01' as period_start, 'company' as level, 'company' as entity_id,
               'till' as touchpoint_code, 'purchase' as stage_code, 5 as event_count, 4 as csat_n, 0.75 as csat_ratio,
               0.3 as csat_low, 0.95 as csat_high, 0 as ces_n, null::double as ces_ratio, null::double as ces_low,
               null::double as ces_high, 4 as nps_n, -25.0 as nps, -80.0 as nps_low, 40.0 as nps_high,
               0.5 as detractor_ratio, 0.15 as detractor_low, 0.85 as detractor_high, 5 as settled_count,
               1.0 as drop_off_ratio, 0.57 as drop_off_low, 1.0 as drop_off_high, 0 as rework_count,
               null::double as median_hours_to_next
        """
    )
    return connection


def test_every_company_segment_and_store_gets_its_map(marts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    written = write_maps(marts, tmp_path / "maps", "Chain", {"till": "收银台"}, "zh")
    assert {path.name for path in written} == {
        "index.html", "company_company.html", "store_s1.html", file_name("segment", NASTY),
    }  # fmt: skip
    text = (tmp_path / "maps" / "company_company.html").read_text(encoding="utf-8")
    assert "收银台" in text and "75.0%" in text and "-25.0" in text
    assert "Shop &amp; Co" in (tmp_path / "maps" / "store_s1.html").read_text(encoding="utf-8")
    for path in written:
        page = path.read_text(encoding="utf-8")
        assert "<script" not in page
        assert not re.search(r"(src|href)=\"(https?:)?//", page), "a map loads nothing from elsewhere"


def test_a_quarter_without_journeys_is_refused_by_name(marts: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"quarter from 2026-07-01; quarters with journeys: 2026-04-01"):
        write_maps(marts, tmp_path, "Chain", {}, "en", date(2026, 7, 1))
