from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchestrator.cases.expectation import Column, ResultSet
from orchestrator.cases.script import Regex
from tests.unit.bvt_compare.factories import BIGINT, DECIMAL, INTEGER, VARCHAR, error, judged, rows
from workers.bvt.compare import Outcome, VerdictKind

PASS, FAILED, ABNORMAL = VerdictKind.PASS, VerdictKind.FAILED, VerdictKind.ABNORMAL
NOTHING = Outcome()


@pytest.mark.parametrize(
    ("expected", "outcome", "kind"),
    [
        (None, NOTHING, PASS),
        ("a", NOTHING, FAILED),
        (None, rows(types=[INTEGER]), FAILED),
        (None, rows(["1"]), ABNORMAL),  # mo-tester: NullPointerException
        (None, error("x"), FAILED),
        ("a\n1", rows(["1"]), PASS),
        ("a\n1", rows(["1"], ["1"]), FAILED),
        ("a\tb\nx\ty", rows(["x", "y"]), PASS),
        ("a    b\nx    y", rows(["x", "y"]), PASS),
        ("a\n1\n2", rows(["2"], ["1"]), PASS),  # the order of rows is free
        ("A\n1", rows(["1"]), PASS),
        ("b\n1", rows(["1"]), FAILED),
        ("x+1\n1", rows(["1"]), PASS),  # an expression's label is not compared
        ("a\tb\nxy\tz", rows(["x", "yz"]), PASS),  # cells are put together
        ("a\nX", rows(["x"]), FAILED),
        ("a\nNULL", rows([None]), PASS),
        ("a\nnull", rows(["NULL"]), PASS),
        ("a\nx\\ny", rows(["x\ny"]), PASS),
        ("a\tb\n1\t2", rows(["1"]), ABNORMAL),  # ArrayIndexOutOfBoundsException
        ("a", rows(types=[INTEGER, INTEGER]), PASS),  # more columns are not noticed without rows
        ("a\n1\n", rows(["1"], [""]), PASS),
    ],
)
def test_sets(expected: str | None, outcome: Outcome, kind: VerdictKind) -> None:
    assert judged(expected, outcome).kind == kind


@pytest.mark.parametrize(
    ("expected", "given", "kind"),
    [("oh no: x", "oh no: x", PASS), ("  oh\tno ", "oh\tno\n", PASS), ("oh", "oh no", FAILED), ("Oh", "oh", FAILED)],
)
def test_errors_are_equal_as_a_whole(expected: str, given: str, kind: VerdictKind) -> None:
    assert judged(expected, error(given)).kind == kind


def test_an_error_text_passes_for_an_empty_set_when_it_looks_like_an_expression() -> None:
    empty = rows(types=[INTEGER])
    assert judged("bad (x)", empty).kind == PASS
    assert judged("bad x", empty).kind == FAILED
    assert judged("bad x", empty, metadata=False).kind == PASS


def test_the_full_form_compares_types_and_every_label() -> None:
    outcome = Outcome(result=ResultSet((Column("a + 1", 12, 715827882),), [["x\ny"]]))
    assert judged("➤ A + 1[12,-1,0]  𝄀\nx\ny", outcome).kind == PASS
    assert judged("➤ a+1[12,-1,0]  𝄀\nx\ny", outcome).kind == FAILED
    assert judged("➤ a + 1[4,-1,0]  𝄀\nx\ny", outcome).kind == FAILED
    assert judged("➤ a + 1[4,-1,0]  𝄀\nx\ny", outcome, metadata=False).kind == PASS


def test_the_statement_decides_over_the_document_and_the_document_over_the_run() -> None:
    outcome = rows(["1"])
    assert judged("b\n1", outcome, doc_metacmp=False).kind == PASS
    assert judged("b\n1", outcome, doc_metacmp=False, metacmp=True).kind == FAILED
    assert judged("b\n1", outcome, doc_metacmp=True, metadata=False).kind == FAILED


def test_a_header_that_cannot_be_read_costs_its_command_whatever_the_answer() -> None:
    for outcome in (NOTHING, error("x"), rows(["1"])):
        verdict = judged("➤ a[x,1,0]", outcome)
        assert (verdict.kind, "'x'" in verdict.reason) == (ABNORMAL, True)


def test_a_fetch_that_breaks_off_fails() -> None:
    outcome = dataclasses.replace(rows(["1"]), broken="lost")
    assert judged("a\n1", outcome).kind == FAILED
    assert judged(None, outcome).kind == ABNORMAL
    assert judged("a\n1", outcome, regexes=(Regex("1", True),)).kind == FAILED


@pytest.mark.parametrize(
    ("regexes", "kind"),
    [
        ([(r"➤ a\[4,0,0\]", True)], PASS),
        ([("1$", False)], FAILED),
        ([("1$", True), ("2", False)], PASS),
        ([("2", True)], FAILED),
    ],
)
def test_regexes_look_at_the_answer_and_not_at_the_expectation(regexes: list[Any], kind: VerdictKind) -> None:
    options = tuple(Regex(*regex) for regex in regexes)
    assert judged("whatever", rows(["1"], types=[INTEGER]), regexes=options).kind == kind


def test_regexes_need_an_answer_and_still_an_expectation_where_there_are_rows() -> None:
    regexes = (Regex("1", True),)
    assert judged("x", error("boom 17"), regexes=regexes).kind == PASS
    assert judged(None, error("boom 17"), regexes=regexes).kind == PASS
    assert judged("x", NOTHING, regexes=regexes).kind == FAILED
    assert judged("x", error(""), regexes=regexes).kind == FAILED
    assert judged(None, rows(["1"]), regexes=regexes).kind == ABNORMAL


@pytest.mark.parametrize(
    ("expected", "outcome", "kind"),
    [
        ("dup.*key", error("dup entry key"), PASS),
        ("dup", error("dup entry key"), FAILED),  # the whole message
        ("dup.*key", error("dup\nkey"), FAILED),
        ("a\n1", rows(["1"]), FAILED),
        (None, error("dup"), ABNORMAL),
        ("(", error("dup"), ABNORMAL),
    ],
)
def test_pattern_matches_whole_errors_only(expected: str | None, outcome: Outcome, kind: VerdictKind) -> None:
    assert judged(expected, outcome, pattern=True).kind == kind


def test_ignored_columns_still_take_part_in_sorting() -> None:
    assert judged("a\tb\n1\t2", rows(["9", "2"]), ignore_columns=(0,)).kind == PASS
    assert judged("a\tb\n1\tx\n2\ty", rows(["9", "x"], ["3", "y"]), ignore_columns=(0,)).kind == FAILED


def test_a_sort_key_keeps_the_order_of_what_differs_in_it() -> None:
    assert judged("a\n1\n2", rows(["2"], ["1"]), sortkeys=(0,)).kind == FAILED
    assert judged("a\n1\n2", rows(["2"], ["1"]), sortkeys=(7,)).kind == PASS
    assert judged("a\tb\n1\tx\n1\ty\n0\tz", rows(["1", "y"], ["1", "x"], ["0", "z"]), sortkeys=(0,)).kind == PASS
    assert judged("a\n1\n2", rows(["1"], ["2"]), sortkeys=(-1,)).kind == ABNORMAL


def test_numbers_are_lenient_by_the_actual_type() -> None:
    assert judged("a\n10", rows(["14"], types=[BIGINT])).kind == PASS
    assert judged("a\n10", rows(["14"], types=[INTEGER])).kind == FAILED
    assert judged("a\nabc", rows(["1.5"], types=[DECIMAL])).kind == ABNORMAL
    assert judged("a\n2024-01", rows(["2024-02"], types=[VARCHAR])).kind == ABNORMAL


def test_a_verdict_says_why() -> None:
    assert (
        judged("a\tb\n1\t2", rows(["1", "3"])).reason == "row 1 as sorted: column 1 is expected to be '2', and is '3'"
    )
    assert "crashes" in judged(None, rows(["1"])).reason


def test_a_pattern_that_would_be_searched_for_ever_costs_its_command_alone() -> None:
    verdict = judged("a\n1", error("x" * 5000), regexes=(Regex("(x+x+)+y", True),))
    assert verdict.kind == ABNORMAL
    assert "hangs" in verdict.reason
