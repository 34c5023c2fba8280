"""Orders that were accepted, what their callers spent, and the plans they speak of: what makes a retry harmless."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

import redis

from orchestrator.ledger import keys
from orchestrator.ledger.connection import connect, every_method_reports_broker_errors

_LUA = Path(__file__).parent / "lua"
#: Seconds an order's key is known, a plan can be started by its id, and a day's spending is kept.
ORDER_KEPT = 7 * 24 * 3600
PLAN_KEPT = 7 * 24 * 3600
_BUDGET_KEPT = 48 * 3600


class Claimed(StrEnum):
    """What became of a claim."""

    NEW = "new"
    #: The same order was accepted before.
    AGAIN = "again"
    #: The key was used for another order.
    OTHER = "other"
    #: The day's budget does not cover it.
    RUNS = "runs"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Claim:
    """An order about to be carried out."""

    caller: str
    key: str
    #: The same for the same order.
    fingerprint: str
    #: The run it makes or concerns; empty: there is nothing to run.
    run: str
    #: What it takes from the budget.
    runs: int = 0
    seconds: float = 0.0
    #: What the budget allows a day; None: no limit.
    allowed_runs: int | None = None
    allowed_seconds: float | None = None
    #: What was asked for, where the order follows from it and from what has changed since; empty: the order itself.
    asked: str = ""


@every_method_reports_broker_errors
class Orders:
    """One client; safe to use from several threads."""

    def __init__(self, server: str | redis.Redis, *, retries: int = 3) -> None:
        """``server`` is an address, or a client that somebody else closes."""
        self.redis = connect(server, retries=retries) if isinstance(server, str) else server
        self._claim, self._fly = (
            self.redis.register_script((_LUA / f"{name}.lua").read_text("utf-8")) for name in ("claim", "fly")
        )

    def close(self) -> None:
        """Let the connections go."""
        self.redis.close()

    def claim(self, claim: Claim) -> tuple[Claimed, str]:
        """Accept an order once; with the answer the run of the first time, or what of the budget is used."""
        limits = [-1 if limit is None else limit for limit in (claim.allowed_runs, claim.allowed_seconds)]
        price = [claim.runs, round(claim.seconds, 3), *limits, _BUDGET_KEPT]
        args = [claim.fingerprint, claim.run, ORDER_KEPT, *price, claim.asked]
        names = [_order(claim.caller, claim.key), _budget(claim.caller)]
        answer, value = cast("tuple[str, str]", self._claim(keys=names, args=args))
        return Claimed(answer), value

    def seen(self, claim: Claim) -> bool:
        """Whether this very order was accepted before, with this very run."""
        known = self.redis.hmget(_order(claim.caller, claim.key), ["fingerprint", "run"])
        return known == [claim.fingerprint, claim.run]

    def run_of(self, caller: str, key: str, asked: str) -> str | None:
        """The run of an order that was accepted when this was asked for."""
        known, run = cast("list[str | None]", self.redis.hmget(_order(caller, key), ["asked", "run"]))
        return run if known == asked else None

    def spent(self, caller: str) -> tuple[int, float]:
        """Runs and runner-seconds that a caller has taken from today's budget."""
        runs, seconds = cast("list[str | None]", self.redis.hmget(_budget(caller), ["runs", "seconds"]))
        return int(runs or 0), float(seconds or 0)

    def flown(self, change: str) -> tuple[int, float]:
        """Runs and runner-seconds that the autopilot took for a change within the last week."""
        runs, seconds = cast("list[str | None]", self.redis.hmget(_flight(change), ["runs", "seconds"]))
        return int(runs or 0), float(seconds or 0)

    def fly(self, change: str, seen: int, seconds: float) -> tuple[bool, int, float]:
        """Count one more run of the autopilot, and what it is estimated to cost, before it starts.

        Nothing is counted when there are not ``seen`` runs any more: another flight has started one, and what was
        decided must be decided again. With the answer the runs and runner-seconds that are counted now.
        """
        answer = self._fly(keys=[_flight(change)], args=[seen, round(seconds, 3), ORDER_KEPT])
        taken, runs, spent = cast("tuple[int, int, str]", answer)
        return bool(taken), runs, float(spent)

    def keep_plan(self, plan: str, text: str) -> None:
        """Keep a plan's JSON for a week under its id."""
        self.redis.set(f"{keys.PREFIX}:planned:{plan}", text, ex=PLAN_KEPT)

    def plan(self, plan: str) -> str | None:
        """The JSON of a plan that was kept."""
        return cast("str | None", self.redis.get(f"{keys.PREFIX}:planned:{plan}"))


def _order(caller: str, key: str) -> str:
    return f"{keys.PREFIX}:order:{caller}:{key}"


def _flight(change: str) -> str:
    return f"{keys.PREFIX}:flight:{change}"


def _budget(caller: str) -> str:
    return f"{keys.PREFIX}:budget:{caller}:{time.strftime('%Y%m%d', time.gmtime())}"
