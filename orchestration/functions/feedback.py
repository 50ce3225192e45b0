"""Which terms of a dictionary a comment speaks in.

Chinese has no spaces: "质量一般用" holds 一般 but a search for characters would also find words that nobody wrote. The text is
cut into words first (jieba's dictionary as rjieba ships it, no model and no download), and a term counts where it begins and
ends with a word. The longest term wins, so that 不满意 is not praise because it ends in 满意.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import rjieba

TERM_END = "\x1e"
# A word that turns the next one round reaches this far: "not very friendly", 没有 那么 方便.
_NEGATOR_REACH = 3
_HAN = re.compile(r"[㐀-鿿豈-﫿]+")
_WORD = re.compile(r"[㐀-鿿豈-﫿]+|[^\W_]+(?:['’][^\W_]+)*|[^\s]")
_CLAUSE_ENDS = frozenset(",.;:!?，。；：！？、…\n")


@dataclass(frozen=True)
class FoundTerm:
    """A dictionary term in a text, and whether a word just before it turns it round."""

    term: str
    is_negated: bool


@dataclass(frozen=True)
class Dictionary:
    """Terms as sequences of characters without spaces, and the words that turn a term round."""

    terms: dict[str, str]
    negators: frozenset[str]
    longest: int


def normalise(text: str) -> str:
    """Full-width and half-width, upper and lower case are the same word."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


@cache
def _segmenter(terms: tuple[str, ...]) -> rjieba.Jieba:
    """Jieba's own words and the dictionary's: a term that jieba would cut in the middle stays in one piece."""
    segmenter = rjieba.Jieba()
    for term in terms:
        if _HAN.fullmatch(term):
            segmenter.add_word(term, None, None)
    return segmenter


@cache
def read_dictionary(text: str) -> Dictionary:
    """The dictionary from ``term`` or ``!negator`` entries, each ended by ``TERM_END``."""
    entries = sorted({normalise(entry) for entry in text.split(TERM_END) if entry.strip()})
    negators = frozenset(entry.removeprefix("!") for entry in entries if entry.startswith("!"))
    terms = {_joined(_pieces(entry)): entry for entry in entries if not entry.startswith("!")}
    longest = max((len(_pieces(entry)) for entry in terms.values()), default=0)
    return Dictionary(terms, negators, max(longest, *(len(entry) for entry in terms), 1) if terms else 1)


def _pieces(text: str) -> list[str]:
    return _WORD.findall(text)


def _joined(words: Iterable[str]) -> str:
    return " ".join(words)


def words_of(text: str, dictionary: Dictionary) -> list[str]:
    """The words and punctuation marks of a text, in order; lines end clauses."""
    segmenter = _segmenter(tuple(sorted({*dictionary.terms.values(), *dictionary.negators})))
    words: list[str] = []
    for line in normalise(text).splitlines():
        for piece in _pieces(line):
            cut = segmenter.cut(piece, False) if _HAN.fullmatch(piece) else [piece]
            words += [part for word in cut for part in _parted(word, dictionary)]
        words.append("\n")
    return words


def _parted(word: str, dictionary: Dictionary) -> list[str]:
    """不好 is one word to jieba; where the dictionary only has 好, it is a negator and a term."""
    if word not in dictionary.terms and _HAN.fullmatch(word):
        for end in range(len(word) - 1, 0, -1):
            if word[:end] in dictionary.negators and word[end:] in dictionary.terms:
                return [word[:end], word[end:]]
    return [word]


def find_terms(text: str, dictionary: Dictionary) -> list[FoundTerm]:
    """The terms of the dictionary in a text, each once per sign, in the order they are first used."""
    return list(dict.fromkeys(_matches(words_of(text, dictionary), dictionary)))


def _matches(words: list[str], dictionary: Dictionary) -> Iterator[FoundTerm]:
    position = clause_start = 0
    while position < len(words):
        if words[position] in _CLAUSE_ENDS:
            clause_start = position + 1
        length, term = _longest_at(words, position, dictionary)
        if term is None:
            position += 1
            continue
        before = words[max(clause_start, position - _NEGATOR_REACH) : position]
        yield FoundTerm(term, sum(word in dictionary.negators for word in before) % 2 == 1)
        position += length
        # A term that was found is over: what turned it round does not turn the next one.
        clause_start = max(clause_start, position)


def _longest_at(words: list[str], position: int, dictionary: Dictionary) -> tuple[int, str | None]:
    for length in range(min(dictionary.longest, len(words) - position), 0, -1):
        part = words[position : position + length]
        for candidate in (_joined(part), "".join(part)):
            if candidate in dictionary.terms:
                return length, dictionary.terms[candidate]
    return 0, None
