from __future__ import annotations

import pytest

from orchestrator.cases.expectation import Column, ResultSet
from orchestrator.cases.script import Regex
from tests.unit.bvt_compare.factories import BIGINT, DECIMAL, DOUBLE, INTEGER, VARCHAR, error, found, judged, rows
from workers.bvt.compare import Outcome, VerdictKind


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        (None, Outcome()),
        ("a\n1", rows(["1"], types=[INTEGER])),
        ("a\nnull", rows([None])),
        ("a\nNULL", rows([None])),  # a legacy result may have been written by hand
        ("a\nnull", rows(["null"])),
        ("a\n0.3333333333333", rows(["0.33333333333333"], types=[DOUBLE])),
        ("a\n1.50", rows(["1.5"], types=[DECIMAL])),
        ("a\nx\\ny", rows(["x\ny"])),
        ("a\n1\n2", rows(["2"], ["1"])),  # nothing orders these rows
        ("oh no", error("oh no", 1064)),
        ("ERROR 1064 (42000): oh no", error("oh no", 1064, "42000")),
    ],
)
def test_agreement_is_an_empty_list(expected: str | None, outcome: Outcome) -> None:
    assert found(expected, outcome) == []


@pytest.mark.parametrize(
    ("expected", "outcome", "words"),
    [
        ("a\n10", rows(["14"], types=[BIGINT]), "expected '10', and it is '14'"),
        ("a\n-5", rows(["7"], types=[BIGINT]), "expected '-5', and it is '7'"),
        ("a\n9007199254740993", rows(["9007199254740992"], types=[BIGINT]), "9007199254740992"),
        ("a\n0.1", rows(["0.1499"], types=[DOUBLE]), "0.1499"),
        ("a\n1.50", rows(["1.5"], types=[VARCHAR]), "1.5"),
        ("a\nnull", rows(["NULL"]), "expected 'null', and it is 'NULL'"),
        ("➤ a[12,0,0]  𝄀\nNULL", rows([None]), "expected 'NULL', and it is SQL NULL"),
        ("a\tb\nxy\tz", rows(["x", "yz"]), "expected 'xy', and it is 'x'"),
        ("x+1\n1", rows(["1"]), "is expected to be called 'x+1', and is 'a'"),
        ("a", rows(types=[INTEGER, INTEGER]), "expected 1 column, and there are 2"),
        ("bad (x)", rows(types=[INTEGER]), "looks like an error"),
    ],
)
def test_what_passes_in_compat_and_is_told_here(expected: str, outcome: Outcome, words: str) -> None:
    assert judged(expected, outcome).kind is VerdictKind.PASS
    assert words in found(expected, outcome)[0]


def test_rows_that_the_statement_orders_keep_their_order() -> None:
    wrong = rows(["2"], ["1"])
    assert "another order: row 0, column 0" in found("a\n1\n2", wrong, sql="select a from t order by a;")[0]
    assert "another order" in found("a\n1\n2", wrong, sql="select a from t order by f(x);")[0]
    assert found("a\n1\n2", wrong, sql="select a from (select a from t order by a) x;") == []


def test_ties_are_free() -> None:
    tied = rows(["1", "y"], ["1", "x"], ["2", "z"])
    assert found("a\tb\n1\tx\n1\ty\n2\tz", tied, sql="select a, b from t order by a;") == []
    assert found("a\tb\n1\tx\n1\ty\n2\tz", tied, sql="select a, b from t order by a, b;") != []


def test_a_sort_key_says_what_is_ordered() -> None:
    assert found("a\n1\n2", rows(["2"], ["1"]), sortkeys=(0,)) != []
    assert found("a\tb\n1\tx\n1\ty", rows(["1", "y"], ["1", "x"]), sortkeys=(0,)) == []


def test_types_are_compared_where_headers_are() -> None:
    outcome = Outcome(result=ResultSet((Column("a", 12, 715827882, 0),), [["1"]]))
    assert found("➤ a[12,-1,0]  𝄀\n1", outcome) == []
    assert found("➤ a[4,32,0]  𝄀\n1", outcome) == ["column 0 is expected to be a[4,32,0], and is a[12,-1,0]"]
    assert found("➤ a[4,32,0]  𝄀\n1", outcome, metadata=False) == []


def test_ignored_columns_neither_differ_nor_sort() -> None:
    assert found("a\tb\n1\tx\n2\ty", rows(["9", "y"], ["3", "x"]), ignore_columns=(0,)) == []
    assert len(found("a\tb\n1\tx", rows(["9", "y"]), ignore_columns=(0,))) == 1


def test_missing_and_surplus_rows_are_named() -> None:
    assert found("a\n1\n2", rows(["2"])) == ["expected 2 rows, and there are 1", "the row '1' is expected and missing"]
    assert "the row '3' is not expected" in found("a\n2", rows(["2"], ["3"]))


def test_errors_differ_by_text_code_and_state() -> None:
    assert found("oh", error("oh no", 1064)) == ["expected 'oh', and there is error 1064: 'oh no'"]
    assert found("ERROR 1050 (42S01): oh", error("oh", 1064, "42000")) == [
        "expected error code 1050, and it is 1064",
        "expected SQLSTATE 42S01, and it is 42000",
    ]
    assert found(None, error("oh")) != []
    assert found("a\n1", error("oh")) != []


def test_a_statement_without_a_result_differs_from_a_result() -> None:
    assert found("a\n1", Outcome()) != []
    assert found(None, rows(types=[INTEGER])) == ["no result is expected, and there is one of 0 rows"]


def test_regex_and_pattern_say_what_counts() -> None:
    assert found("x", rows(["1"]), regexes=(Regex("1", True),)) == []
    assert found("x", rows(["1"]), regexes=(Regex("9", True),)) != []
    assert found("o.*", error("oh"), pattern=True) == []


def test_a_broken_fetch_and_a_bad_header_are_told() -> None:
    assert found("a\n1", Outcome(result=rows(["1"]).result, broken="lost")) == ["the result set breaks off: lost"]
    assert "'x'" in found("➤ a[x,1,0]", rows(["1"]))[0]


def test_many_differences_are_counted() -> None:
    text = "a\n" + "\n".join(f"{n}" for n in range(100))
    told = found(text, rows(*([f"{n}x"] for n in range(100))))
    assert (len(told), told[-1]) == (21, "and 80 more differences")
