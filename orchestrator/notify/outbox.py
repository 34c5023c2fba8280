"""Empties the outbox into the chats: in order, at least once, never in a storm.

A message whose delivery is in doubt (the answer was lost) is sent again: a verdict told twice does less harm than one
never told. The order within a channel is kept, so a channel in trouble holds back only its own messages.
"""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.notify.base import Notifier, RefusedError, RetryLaterError

if TYPE_CHECKING:
    from orchestrator.store import DueMessage, Store

#: Seconds to the next try after the first, second, … failed one; the last value stays.
BACK_OFF = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 120.0, 300.0)
#: A message that could not be delivered for so long tells nobody anything any more.
MAX_AGE = 24 * 3600.0
#: Tries at a message that makes its channel raise what no channel should.
BROKEN_TRIES = 3
#: Deliveries of one channel in one pass, so that a caller's loop gets its turn.
PER_PASS = 50

#: A channel with more waiting than this tells them together, a line each: nothing is lost, and no limit is met.
MERGE_FROM = 8
_DIGEST_LINES, _LINE = 100, 160

log = logging.getLogger(__name__)


def drain(
    store: Store,
    channels: Mapping[str, Notifier],
    clock: Callable[[], float] = time.time,
    find: Callable[[str], Notifier | None] = lambda _: None,
) -> int:
    """Deliver what is due now; return how many messages the chats took.

    ``channels`` maps the name in the outbox to its notifier, ``find`` gives those of other names; messages of channels
    that neither knows stay where they are. Returns as soon as each channel is empty, waits for a retry or has used its
    rate: call it again every second or so, from as many processes as there are. ``clock`` gives Unix seconds.
    """
    found = {name: channels.get(name) or find(name) for name in store.waiting_channels()}
    return sum(_drain_channel(store, name, notifier, clock) for name, notifier in found.items() if notifier is not None)


def _drain_channel(store: Store, name: str, notifier: Notifier, clock: Callable[[], float]) -> int:
    taken = 0
    for _ in range(PER_PASS):
        if notifier.wait() > 0:
            break
        if store.backlog(name) > MERGE_FROM:
            merged = _deliver_many(store, name, notifier, clock)
            if merged is None:
                break
            taken += merged
            continue
        claimed = store.due(clock(), 1, channel=name)  # one at a time: a crash leaves one message in doubt, not many
        if not claimed:
            break
        outcome = _deliver(store, notifier, claimed[0], clock)
        if outcome is None:
            break
        taken += outcome
    return taken


def _deliver_many(store: Store, name: str, notifier: Notifier, clock: Callable[[], float]) -> int | None:
    """Tell what waits in one message, a line each, as far as it has short forms and fits; how many were told.

    ``None`` when the channel has to wait. A message without a short form is told by itself.
    """
    waiting = store.due(clock(), _DIGEST_LINES, channel=name)
    if not waiting:
        return None
    claimed = [due for due in waiting if not _outdated(store, due, clock())]
    if not claimed:
        return 0
    lines = list(itertools.takewhile(bool, map(_line, claimed)))
    sizes = itertools.accumulate(len(line.encode("utf-8", "replace")) + 1 for line in lines)
    count = max(1, sum(size <= notifier.limit for size in sizes))
    store.release([due.id for due in claimed[count:]])
    if count == 1:
        outcome = _deliver(store, notifier, claimed[0], clock)
        return None if outcome is None else int(outcome)
    return _deliver_digest(store, notifier, claimed[:count], "\n".join(lines[:count]), clock)


def _deliver_digest(
    store: Store, notifier: Notifier, told: Sequence[DueMessage], text: str, clock: Callable[[], float]
) -> int | None:
    try:
        _hand_over(notifier, {"markdown": text}, told[0].message.key)
    except RefusedError as error:  # perhaps for one line: the others are no worse for it
        log.warning("%d messages told together were refused, and go one by one: %s", len(told), error.message)
        return _deliver_each(store, notifier, told, clock)
    except RetryLaterError as error:
        kept = [_again(store, due, error, clock()) for due in told]
        return None if any(kept) else 0
    for due in told:
        store.sent(due.id, clock())
    return len(told)


def _deliver_each(
    store: Store, notifier: Notifier, told: Sequence[DueMessage], clock: Callable[[], float]
) -> int | None:
    """How many of some claimed messages the chat took, each by itself; ``None`` for none when it has to wait."""
    taken = 0
    for place, due in enumerate(told):
        ready = notifier.wait() <= 0
        outcome = _deliver(store, notifier, due, clock) if ready else None
        if outcome is None:
            store.release([left.id for left in told[place + ready :]])
            return taken or None
        taken += outcome
    return taken


def _line(due: DueMessage) -> str:
    """The short form of a message; empty when it has none."""
    try:
        return str(_payload(due).get("line") or "")[:_LINE]
    except RefusedError:
        return ""


def _deliver(store: Store, notifier: Notifier, due: DueMessage, clock: Callable[[], float]) -> bool | None:
    """Whether the chat took the message; ``None`` when it has to wait, and all behind it too."""
    if _outdated(store, due, clock()):
        return False
    try:
        _hand_over(notifier, _payload(due), due.message.key)
    except RefusedError as error:
        return _give_up(store, due, str(error))
    except RetryLaterError as error:
        return None if _again(store, due, error, clock()) else False
    store.sent(due.id, clock())
    return True


def _outdated(store: Store, due: DueMessage, now: float) -> bool:
    """Whether a message is too old to be told; it is given up then."""
    if now - due.created <= MAX_AGE:
        return False
    _give_up(store, due, f"not delivered within {MAX_AGE / 3600:.0f} hours")
    return True


def _hand_over(notifier: Notifier, payload: Mapping[str, object], key: str) -> None:
    try:
        notifier.deliver(payload, key)
    except (RefusedError, RetryLaterError):
        raise
    except Exception as error:  # a bug in one channel must not silence the others: on record, and tried a few times
        log.exception("message %s broke its channel", key)
        raise RetryLaterError("the channel broke", "The control process's log says why.", tries=BROKEN_TRIES) from error


def _payload(due: DueMessage) -> Mapping[str, object]:
    try:
        payload = json.loads(due.message.payload)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise RefusedError("the message is not a JSON object", "It was written by another program: nothing was sent.")
    return payload


def _again(store: Store, due: DueMessage, error: RetryLaterError, now: float) -> bool:
    """Whether a message is tried again; one whose tries are used up is given up."""
    if error.tries is not None and due.attempts >= error.tries:
        return _give_up(store, due, f"{error} (after {due.attempts} tries)")
    after = error.after if error.after is not None else BACK_OFF[min(due.attempts, len(BACK_OFF)) - 1]
    log.warning("message %s waits %.0f s: %s", due.message.key, after, error.message)
    store.failed(due.id, str(error), now + after)
    return True


def _give_up(store: Store, due: DueMessage, reason: str) -> bool:
    log.error("message %s is given up: %s", due.message.key, reason)
    store.give_up(due.id, reason)
    return False
