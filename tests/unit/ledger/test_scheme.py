"""A ledger of another version: refused with what to do, and taken over when nothing of it is under way."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.cli import checks_alarms, edge
from orchestrator.cli import control as cli_control
from orchestrator.domain.errors import InfrastructureError, OtherSchemeError, UnknownRunError
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.messaging import make_app
from orchestrator.runs import control
from orchestrator.settings import Settings
from orchestrator.store import Store
from tests.factories import make_plan
from tests.require import require

OLD = str(keys.SCHEME - 1)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        yield server.url


def test_an_older_ledger_is_taken_over_once_its_runs_have_ended(url: str) -> None:
    ledger, active = Ledger(url), keys.active_of(OLD)
    ledger.redis.set(keys.SCHEME_OF, OLD)
    ledger.redis.zadd(active, {"r1": 1, "r2": 2})
    with pytest.raises(OtherSchemeError, match=f"has scheme {OLD}.*and 2 runs of the older one are under way") as error:
        ledger.agree(leads=True)
    assert "Let the older version end or cancel them" in error.value.remedy
    doctor = checks_alarms.scheme(ledger)
    assert (doctor.ok, doctor.required, "2 runs" in doctor.found) == (False, True, True)
    ledger.redis.delete(active)
    with pytest.raises(OtherSchemeError) as error:
        ledger.agree()
    assert "Start `mo-testplan control` of this version first" in error.value.remedy
    ledger.agree(leads=True)
    assert ledger.scheme() == str(keys.SCHEME)
    assert checks_alarms.scheme(ledger).ok
    ledger.agree()


def test_control_leaves_the_history_to_the_version_whose_runs_are_under_way(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, ledger = tmp_path / "history.sqlite", Ledger(url)
    ledger.redis.set(keys.SCHEME_OF, OLD)
    ledger.redis.zadd(keys.active_of(OLD), {"r1": 1})
    monkeypatch.setenv("MO_TESTPLAN_REDIS_URL", url)
    monkeypatch.setenv("MO_TESTPLAN_STORE_URL", f"sqlite:///{history}")
    with pytest.raises(OtherSchemeError, match="1 runs of the older one"):
        cli_control.run(argparse.Namespace(profile="matrixone", until_eof=False))
    assert not history.exists()


def test_control_does_not_start_on_a_history_that_it_cannot_write(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(f"sqlite:///{tmp_path}/history.sqlite").close()
    monkeypatch.setenv("MO_TESTPLAN_REDIS_URL", url)
    monkeypatch.setenv("MO_TESTPLAN_STORE_URL", f"sqlite:///file:{tmp_path}/history.sqlite?mode=ro&uri=true")
    monkeypatch.setattr(cli_control, "make_app", None)  # it would serve from here on
    with pytest.raises(InfrastructureError, match="readonly"):
        cli_control.run(argparse.Namespace(profile="matrixone", until_eof=True))


def test_a_newer_ledger_is_left_alone(url: str) -> None:
    ledger = Ledger(url)
    newer = str(keys.SCHEME + 1)
    ledger.redis.set(keys.SCHEME_OF, newer)
    for leads in (True, False):
        with pytest.raises(OtherSchemeError) as error:
            ledger.agree(leads=leads)
        assert "Update mo-testplan on this host" in error.value.remedy
    assert ledger.scheme() == newer


@pytest.mark.parametrize("scheme", [OLD, str(keys.SCHEME + 1)])
def test_no_run_starts_where_nobody_would_run_it(url: str, scheme: str) -> None:
    ledger = Ledger(url)
    ledger.redis.set(keys.SCHEME_OF, scheme)
    with pytest.raises(OtherSchemeError, match=f"has scheme {scheme}"):
        control.start(make_app(url), ledger, make_plan())
    assert ledger.active() == []
    assert ledger.queue_length("ut") == 0


def test_a_run_that_cannot_be_seen_from_here_is_not_called_unknown(url: str, tmp_path: Path) -> None:
    config = Settings(redis_url=url, store_url=f"sqlite:///{tmp_path / 'h.sqlite'}")
    with pytest.raises(UnknownRunError):
        edge.find_run(config, "r1")
    Ledger(url).redis.set(keys.SCHEME_OF, OLD)
    with pytest.raises(OtherSchemeError, match=f"has scheme {OLD}"):
        edge.find_run(config, "r1")
