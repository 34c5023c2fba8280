"""The lexer takes anything, in linear time."""

from __future__ import annotations

import random
import time

import pytest

from orchestrator.cases.dedup import compare_texts
from orchestrator.cases.fingerprint import read_statements
from orchestrator.cases.sql.lexer import split_statements, tokenize, without_comments
from orchestrator.cases.sql.literals import is_number
from orchestrator.cases.sql.tokens import executed_by

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
        ("a --\x01b\nc", "a \nc"),
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


def test_what_some_server_executes_is_read_and_no_hint_hides_a_word() -> None:
    assert executed_by("/*!40000 drop*/ /*M!100100 role */ /*+ x */ r -- s") == ["drop", "role", "r"]


def test_statements_end_at_a_semicolon_outside_strings() -> None:
    assert list(split_statements("a ';' ; -- ;\n b;;")) == [["a", "';'"], ["b"]]


def test_whatever_the_text_every_statement_has_a_fingerprint() -> None:
    generator = random.Random(6)
    for _ in range(3000):
        text = "".join(generator.choices(_ALPHABET, k=generator.randrange(1, 60)))
        for statement in read_statements(text):
            assert len(statement.exact) == len(statement.same_shape) == 32


@pytest.mark.parametrize(
    "text",
    [
        "select " + "(" * 100_000 + "1" + ")" * 100_000,
        "select 1 from " * 20_000 + "a",
        "select 1 from " + "a join " * 20_000 + "b where c = 12 and d = 13",
        "select " + "case when a and " * 20_000 + "1",
        "select " + "not - ! ~ " * 20_000 + "1 and 2",
        "select a from t where b in (" + "12, " * 100_000 + "13)",
        "insert into t (a, b) values " + "(12, 'x'), " * 40_000 + "(13, 'y')",
        "select '" + "x" * 1_000_000 + "' from t where a = 12 and b = 13",
        "insert into t values ('" + "it''s \\' " * 100_000,
        "select f(" + "12, " * 50_000 + "13) from t where a = 12 or b = 13",
    ],
    ids=lambda text: text[:16],
)
def test_deep_and_long_statements_have_a_verdict(text: str) -> None:
    assert compare_texts(text, text).level == "exact"
    assert compare_texts(text, f"{text} + 1").level != "exact"
    half = text.replace("12", "14", 1)
    assert compare_texts(text, half).level == compare_texts(half, text).level


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


@pytest.mark.parametrize("end", ["x", ".", ".1x", "e", "e+", "e1x"])
def test_digits_that_are_no_number_do_not_blow_up(end: str) -> None:
    def seconds(length: int) -> float:
        begin = time.process_time()
        is_number("1" * length + end)
        return time.process_time() - begin

    assert seconds(16_000) < 30 * min(seconds(2_000) for _ in range(3)) + 0.2
