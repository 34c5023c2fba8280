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
