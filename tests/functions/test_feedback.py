"""What a comment talks about, in Chinese and English."""

from __future__ import annotations

import csv

import pytest

from orchestration.functions.feedback import TERM_END, find_terms, read_dictionary
from orchestration.settings import PROJECT_DIR

ENTRIES = (
    "满意",
    "不满意",
    "服务态度",
    "好",
    "质量",
    "!不",
    "friendly",
    "fast",
    "checkout",
    "!not",
    "!no",
    "no queue",
    "queue",
)
DICTIONARY = read_dictionary(TERM_END.join(ENTRIES))


def found(text: str) -> list[tuple[str, bool]]:
    return [(entry.term, entry.is_negated) for entry in find_terms(text, DICTIONARY)]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("我很满意", [("满意", False)]),
        ("我不满意", [("不满意", False)]),
        ("服务态度不好", [("服务态度", False), ("好", True)]),
        ("质量好，服务态度不好", [("质量", False), ("好", False), ("服务态度", False), ("好", True)]),
        ("爱好", []),
        ("The staff was NOT very friendly, but checkout was Fast!", [("friendly", True), ("checkout", False), ("fast", False)]),
        ("breakfast", []),
        ("No queue at all", [("no queue", False)]),
        ("ｆａｓｔ checkout", [("fast", False), ("checkout", False)]),
        ("not good.\nfriendly", [("friendly", False)]),
        ("", []),
        ("😀 \x00 满意", [("满意", False)]),
    ],
)  # fmt: skip
def test_a_term_is_a_whole_word_the_longest_wins_and_a_negator_turns_it(
    text: str, terms: list[tuple[str, bool]]
) -> None:
    assert found(text) == terms


def test_every_term_of_the_company_is_found_in_itself() -> None:
    with (PROJECT_DIR / "seeds" / "mappings" / "feedback_terms.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    dictionary = read_dictionary(
        TERM_END.join(("!" if row["polarity"] == "negator" else "") + row["term"] for row in rows)
    )
    for row in rows:
        if row["polarity"] != "negator":
            assert [entry.term for entry in find_terms(row["term"], dictionary)] == [row["term"]]
