"""What a worker sends while a test runs arrives once, whatever became of the answers."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.errors import BrokerError
from orchestrator.domain.run import CaseResult, CaseStatus
from orchestrator.ledger.client import Ledger
from workers.sink import Sink


class DeafLedger(Ledger):
    """The answer to what it appends first is lost on the way."""

    lost = 0

    def append_cases(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - as they come
        super().append_cases(*args, **named)
        if not self.lost:
            self.lost += 1
            raise BrokerError("Redis does not answer", "Start it.")


def test_a_batch_whose_answer_was_lost_is_sent_again_with_the_next_and_is_there_once(
    valkey_url: str, tmp_path: Path
) -> None:
    ledger, run = DeafLedger(valkey_url), uuid.uuid4().hex
    sink = Sink(ledger, run, "t0", 1, tmp_path)
    sink.case(CaseResult("TestA", CaseStatus.PASSED))
    with pytest.raises(BrokerError):
        sink.flush()
    sink.case(CaseResult("TestB", CaseStatus.PASSED))
    sink.flush(Ledger(valkey_url))
    sink.case(CaseResult("TestC", CaseStatus.PASSED))
    sink.flush()
    sink.close()
    names = [json.loads(row["case"])["name"] for _, row in ledger.read_cases(run, "0")]
    assert names == ["TestA", "TestB", "TestC"]


def test_long_names_that_begin_alike_stay_two_cases_in_one_line_each(valkey_url: str, tmp_path: Path) -> None:
    """Else one that passes and one that fails were one that is flaky, and a new failure one that was known."""
    ledger, run = Ledger(valkey_url), uuid.uuid4().hex
    sink = Sink(ledger, run, "t0", 1, tmp_path)
    for end in ("pass", "fail"):
        sink.case(CaseResult(f"tests/test_a.py::test_\x1b[{'x' * 900}{end}]", CaseStatus.PASSED))
    sink.flush()
    sink.close()
    names = [json.loads(row["case"])["name"] for _, row in ledger.read_cases(run, "0")]
    assert len(set(names)) == 2
    assert all(len(name) <= 500 and name.startswith("tests/test_a.py::test_?[xxx") for name in names)


def test_a_flood_of_long_failures_does_not_fill_the_redis_that_everybody_shares(
    valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.sink.ROOM", 10_000)
    ledger, run = Ledger(valkey_url), uuid.uuid4().hex
    sink = Sink(ledger, run, "t0", 1, tmp_path)
    for number in range(100):
        sink.case(CaseResult(f"Test{number}", CaseStatus.FAILED, message="m" * 3000, expected="e", actual="a" * 3000))
    sink.flush()
    sink.close()
    cases = [json.loads(row["case"]) for _, row in ledger.read_cases(run, "0")]
    assert [len(case["message"]) for case in cases[:2]] == [3000, 3000]
    assert (cases[99]["message"], cases[99]["expected"]) == ("m" * 200 + "… (3000 characters)", "e")
    assert sum(len(case["message"]) + len(case["actual"]) for case in cases) < 10_000 + 6000 + 100 * 500
    assert sink.counts[CaseStatus.FAILED] == len(cases) == 100
