"""A Redis that is away, or refuses: an error that says so, whatever Celery calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.messaging import App, ask_summary, make_app
from orchestrator.runs import canvas, control, queues
from tests.factories import make_plan
from tests.require import require


def unreachable() -> App:
    app = make_app("redis+socket:///nowhere/no.sock?virtual_host=0")
    app.conf.result_backend_transport_options = {"retry_policy": {"timeout": 0.1}}
    return app


def test_a_broker_that_is_away_is_said_by_everything_that_sends(tmp_path: Path) -> None:
    app, plan = unreachable(), make_plan()
    first = canvas.deliveries("r", plan)
    for send in (
        lambda: canvas.submit(app, "r", plan, []),
        lambda: canvas.send(app, first[0]),
        lambda: ask_summary(app, "r"),
        lambda: queues.served(app, timeout=0.2),
    ):
        with pytest.raises(BrokerError, match="Redis takes no messages"):
            send()


def test_a_run_whose_messages_are_refused_is_named_and_stays(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        ledger = Ledger(server.url)
        with pytest.raises(BrokerError) as error:
            control.start(unreachable(), ledger, make_plan())
        (run,) = ledger.active()
        assert f"run {run} is recorded" in error.value.message
        assert f"watch {run}" in error.value.remedy
        ledger.close()
