"""Against what the real comparer answered; skipped where the ground truth is not at hand."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.cases.expectation import Column, MismatchError, ResultSet, render_set, split_expectations
from orchestrator.cases.script import parse_script
from tests.shared import shared_dir
from tests.unit.bvt_compare.factories import error
from workers.bvt.compare import Outcome, as_compared, compare


def outcome_of(actual: dict[str, Any]) -> Outcome:
    if "err" in actual:
        return error(actual["err"])
    if "cols" not in actual:
        return Outcome()
    columns = tuple(Column(*column) for column in actual["cols"])
    broken = "the fetch broke off" if "err_after" in actual else None
    return Outcome(result=ResultSet(columns, actual["rows"][: actual.get("err_after")]), broken=broken)


def answer(vector: dict[str, Any]) -> tuple[str, str | None]:
    """The verdict in the vector's words, and the actual set as a report shows it."""
    script = parse_script(vector["script"], "FILE", ignore_issues=True)
    try:
        expectation = split_expectations(script, vector["result"])[0]
    except MismatchError as mismatch:
        return "PARSE_FAILURE", mismatch.message
    outcome = outcome_of(vector["actual"])
    verdict = compare(script.commands[0], script, expectation, outcome, metadata=vector.get("meta", True))
    shown = None if outcome.result is None else render_set(as_compared(outcome.result, expectation))
    return {"ABNORMAL": "THROWS"}.get(verdict.kind, verdict.kind), shown


def test_every_compare_vector() -> None:
    wrong = []
    vectors = shared_dir("motester", "compare_vectors.jsonl").read_text("utf-8").strip().split("\n")
    for vector in map(json.loads, vectors):
        kind, text = answer(vector)
        shown = vector.get("detail") if kind == "PARSE_FAILURE" else vector.get("shown_actual")
        has_text = kind == "PARSE_FAILURE" or (shown is not None and "cols" in vector["actual"])
        if kind != vector["outcome"] or (has_text and "err_after" not in vector["actual"] and text != shown):
            wrong.append(vector["name"])
    assert wrong == []
    assert len(vectors) > 90
