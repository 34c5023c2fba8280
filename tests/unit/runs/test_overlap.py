"""Two workers at one task: what keeps them apart, and what is recorded where nothing did."""

from __future__ import annotations

import time
from typing import cast

import pytest

from orchestrator.domain.errors import BrokerDownError, BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.runs.outlook import timeline
from tests.unit.runs.support import new_run
from workers.heart import Heart
from workers.sink import Sink


@pytest.fixture
def ledger(valkey_url: str) -> Ledger:
    return Ledger(valkey_url)


def test_a_test_that_was_over_before_another_worker_began_is_no_overlap_and_the_record_says_so(ledger: Ledger) -> None:
    delivery, before = new_run(ledger, packages=1), ledger.overlaps()
    assert ledger.start(delivery, "first:x", "ut:pkg/0", 20)[0] is Gate.OK
    assert ledger.overlap(delivery, "first:x", "ut:pkg/0", 1.0) is None, "nobody else has begun"
    ledger.expire(delivery.run, delivery.shard, 1)
    again = ledger.reap(delivery, 3, started=True)
    assert again is not None
    ledger.start(again, "second:y", "ut:pkg/0", 20)
    assert (ledger.overlap(delivery, "first:x", "ut:pkg/0", 100.0) or 0) < -90
    words = [moment.words for moment in timeline(ledger, delivery.run, "ut:pkg/0")]
    assert any("before the next attempt began" in line for line in words)
    assert ledger.overlaps() == before


def test_a_worker_that_cannot_renew_its_lease_ends_its_test_within_it_unless_redis_is_down_for_everybody() -> None:
    class Away:
        def __init__(self, error: type[BrokerError]) -> None:
            self.error = error

        def beat(self, *_: object) -> None:
            raise self.error("away")

    def stops(error: type[BrokerError], silent: float) -> bool:
        heart = Heart(cast("Ledger", Away(error)), Delivery("r", "s", 1), "w", 20.0, 120.0)
        heart.begin("t", cast("Sink", None), time.monotonic() - silent)
        heart.beat()
        return heart.stopped()

    assert [stops(BrokerError, silent) for silent in (10, 19.5)] == [False, True]
    assert [stops(BrokerDownError, silent) for silent in (30, 121)] == [False, True]
