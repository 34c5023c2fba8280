"""The lexer takes anything, in linear time."""

from __future__ import annotations

import random
import time

import pytest

from orchestrator.cases.fingerprint import read_statements
from orchestrator.cases.sql.lexer import split_statements, tokenize, without_comments

_ALPHABET = "'\"`\\-/*#;@$(),. \n\0\ud800é{}abe10x_+<>!&|"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 5--1", ["select", "5", "-", "-", "1"]),
        ("select '--', a", ["select", "'--'", ",", "a"]),
        (r"select 'a\'b', 1", ["select", r"'a\'b'", ",", "1"]),
        ("select 'a''b'", ["select", "'a''b'"]),
        ("count (a)", ["count (", "a", ")"]),
        ("/*+ hint */ a", ["/*+", "hint", "*/", "a"]),
        ("/*!40101 a */", ["/*!40101", "a", "*/"]),
        ("a.b::int", ["a", ".", "b", "::", "int"]),
        ("x'1F' b'01'", ["x'1F'", "b'01'"]),
        ("@@global.x @y", ["@@global.x", "@y"]),
        ("1.5e-3 .5 1e5", ["1.5e-3", ".5", "1e5"]),
        ("$$a 'b$$", ["$$a 'b$$"]),
        ("'open", ["'open"]),
        ("`a b` (", ["`a b` ("]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokenize(text) == expected


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a -- b\nc", "a \nc"),
        ("a --b", "a --b"),
        ("a # b\nc", "a  \nc"),
        ("a /* b */ c", "a   c"),
        ("a // b\nc", "a  \nc"),
        ("'-- a' -- b", "'-- a'  "),
        ("/*+ a */ b /* c */", "/*+ a */ b  "),
        ("a /* open", "a  "),
        ("  -- @sortkey:0\na", " \na"),
    ],
)
def test_comments_go_and_strings_stay(text: str, left: str) -> None:
    assert without_comments(text).split() == left.split()


def test_statements_end_at_a_semicolon_outside_strings() -> None:
    assert list(split_statements("a ';' ; -- ;\n b;;")) == [["a", "';'"], ["b"]]


def test_whatever_the_text_every_statement_has_a_fingerprint() -> None:
    generator = random.Random(6)
    for _ in range(3000):
        text = "".join(generator.choices(_ALPHABET, k=generator.randrange(1, 60)))
        for statement in read_statements(text):
            assert len(statement.exact) == len(statement.same_shape) == 32


def _seconds(text: str) -> float:
    begin = time.process_time()
    list(split_statements(text))
    return time.process_time() - begin


@pytest.mark.parametrize(
    "piece",
    ["'", "\\", "/*", "--", "`", "''", "1e", "0x", "a(", "/*+", "$", "$$", "*/", "-", "'\\", "\n--@", "1.", '"\\"'],
)
def test_no_repetition_blows_up(piece: str) -> None:
    """Eight times the text takes about eight times as long: a square would be sixty-four times."""
    size = 60_000 // len(piece)
    small = min(_seconds(piece * size) for _ in range(3))
    large = _seconds(piece * size * 8)
    assert large < 30 * small + 0.2
