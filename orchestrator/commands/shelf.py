"""What conversations must remember, in Redis beside the ledger: seen messages, tickets, subscriptions, rates.

All of it may be shared by any number of processes; every step that must happen once is one atomic command.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, cast

from orchestrator.domain.plain import from_json, to_plain
from orchestrator.ledger import keys
from orchestrator.ledger.connection import connect, every_method_reports_broker_errors

_BASE = f"{keys.PREFIX}:chat"
#: Seconds: how long a message is known to have been seen, a confirmation waits, a button of a run's card works.
SEEN = 3 * 3600
CONFIRM = 120
BUTTON = 72 * 3600


@dataclass(frozen=True, slots=True)
class Ticket:
    """A command behind a button or a code. Holding it is no right: who uses it is asked for his own."""

    command: str
    #: The only one who may use it, as :attr:`Incoming.who`; empty: everybody who has the right.
    asker: str = ""
    #: The run it is bound to.
    run: str = ""
    #: Whether using it uses it up, and skips the question.
    confirms: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """A place that hears of runs."""

    place: str
    #: ``all``, or the number of a pull request.
    scope: str = "all"
    #: Unix seconds until which it hears nothing.
    muted_until: float = 0.0


@every_method_reports_broker_errors
class Shelf:
    """One client; safe to use from several threads."""

    def __init__(self, url: str, *, retries: int = 3) -> None:
        self.redis = connect(url, retries=retries)

    def close(self) -> None:
        """Let the connections go."""
        self.redis.close()

    # -- once ----------------------------------------------------------------------------------------------------

    def first(self, key: str) -> bool:
        """Whether nobody has asked for ``key`` before (for three hours)."""
        return bool(self.redis.set(f"{_BASE}:seen:{key}", 1, nx=True, ex=SEEN))

    def spend(self, who: str, limit: int, window: int = 60) -> int:
        """Count a use of ``who``; how many above ``limit`` the ``window`` seconds hold, this one included."""
        name = f"{_BASE}:rate:{who}:{int(time.time() // window)}"
        pipe = self.redis.pipeline()
        pipe.incr(name)
        pipe.expire(name, 2 * window)
        return max(0, int(pipe.execute()[0]) - limit)

    # -- tickets -------------------------------------------------------------------------------------------------

    def issue(self, ticket: Ticket, life: float = BUTTON) -> str:
        """Keep a ticket for ``life`` seconds; its key, which nobody can guess."""
        key = secrets.token_urlsafe(9)
        self.redis.set(f"{_BASE}:ticket:{key}", json.dumps(to_plain(ticket)), ex=max(1, int(life)))
        return key

    def look(self, key: str) -> Ticket | None:
        """The ticket, if it is there and not too old."""
        text = cast("str | None", self.redis.get(f"{_BASE}:ticket:{key}"))
        return from_json(Ticket, text, "ticket") if text else None

    def use_up(self, key: str) -> bool:
        """Take a ticket away; True for the one caller who did."""
        return bool(self.redis.delete(f"{_BASE}:ticket:{key}"))

    # -- subscriptions -------------------------------------------------------------------------------------------

    def subscribe(self, subscription: Subscription) -> None:
        """Let a place hear of runs; one subscription a place and scope."""
        field = f"{subscription.place} {subscription.scope}"
        self.redis.hset(f"{_BASE}:subscriptions", field, json.dumps(to_plain(subscription)))

    def unsubscribe(self, place: str) -> int:
        """Let a place hear nothing more; how many subscriptions it had."""
        fields = [f"{s.place} {s.scope}" for s in self.subscriptions() if s.place == place]
        return int(self.redis.hdel(f"{_BASE}:subscriptions", *fields)) if fields else 0

    def mute(self, place: str, until: float) -> int:
        """Be silent in a place until then (Unix seconds); how many subscriptions that concerns."""
        mine = [s for s in self.subscriptions() if s.place == place]
        for subscription in mine:
            self.subscribe(Subscription(place, subscription.scope, until))
        return len(mine)

    def subscriptions(self) -> list[Subscription]:
        """All of them."""
        rows = cast("dict[str, str]", self.redis.hgetall(f"{_BASE}:subscriptions"))
        return [from_json(Subscription, text, "subscription") for text in rows.values()]

    # -- what a place knows of a run -----------------------------------------------------------------------------

    def remember(self, run: str, place: str, **what: str) -> None:
        """Note that ``place`` follows ``run``, and how its card there can be changed."""
        name = f"{_BASE}:places:{run}"
        self.redis.hset(name, place, json.dumps(what))
        self.redis.expire(name, BUTTON)

    def places(self, run: str) -> dict[str, dict[str, str]]:
        """Places that follow a run, with what was remembered."""
        rows = cast("dict[str, str]", self.redis.hgetall(f"{_BASE}:places:{run}"))
        return {place: json.loads(text) for place, text in rows.items()}

    def put(self, name: str, value: dict[str, Any], life: int) -> None:
        """Keep a small value for ``life`` seconds."""
        self.redis.set(f"{_BASE}:{name}", json.dumps(value), ex=life)

    def get(self, name: str) -> dict[str, Any] | None:
        """A small value that was kept."""
        text = cast("str | None", self.redis.get(f"{_BASE}:{name}"))
        return json.loads(text) if text else None
