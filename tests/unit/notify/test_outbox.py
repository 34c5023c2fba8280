from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.outbox import BACK_OFF, MAX_AGE, PER_PASS, drain
from orchestrator.store import OutboxState, Store
from tests.unit.store.factories import make_message


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Chat:
    """A channel that says what it is told to, and remembers what it took."""

    limit = 300

    def __init__(self, *troubles: Exception | None, rate: int = 1000) -> None:
        self.troubles = list(troubles)
        self.rate = rate
        self.tried: list[str] = []
        self.taken: list[str] = []

    def wait(self) -> float:
        return 0.0 if len(self.tried) < self.rate else 1.0

    def deliver(self, payload: Mapping[str, Any], key: str) -> None:
        self.tried.append(key)
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble:
            raise trouble
        self.taken.append(key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    with Store("sqlite://") as store:
        store.enqueue([make_message(key=key) for key in "abc"], clock())
        yield store


def states(store: Store) -> list[OutboxState]:
    return [entry.state for entry in store.outbox()]


def test_messages_leave_in_order_and_once(store: Store, clock: Clock) -> None:
    chat = Chat()
    assert drain(store, {"wecom": chat}, clock) == 3
    assert drain(store, {"wecom": chat}, clock) == 0
    assert chat.taken == ["a", "b", "c"]
    assert states(store) == [OutboxState.SENT] * 3


def test_a_channel_in_trouble_keeps_its_order_and_delays_no_other(store: Store, clock: Clock) -> None:
    store.enqueue([make_message(key="d", channel="github")], clock())
    wecom, github = Chat(RetryLaterError("down")), Chat()
    assert drain(store, {"wecom": wecom, "github": github}, clock) == 1
    assert drain(store, {"wecom": wecom}, clock) == 0
    assert wecom.tried == ["a"], "nobody overtakes, and nobody knocks again before the time"
    clock.now += BACK_OFF[0]
    assert drain(store, {"wecom": wecom}, clock) == 3
    assert wecom.taken == ["a", "b", "c"]


def test_an_outage_of_an_hour_costs_few_tries_and_no_message(store: Store, clock: Clock) -> None:
    chat = Chat(*[RetryLaterError("down")] * 1000)
    for _ in range(360):
        drain(store, {"wecom": chat}, clock)
        clock.now += 10
    assert len(chat.tried) < 25
    chat.troubles.clear()
    clock.now += BACK_OFF[-1]
    assert drain(store, {"wecom": chat}, clock) == 3
    assert chat.taken == ["a", "b", "c"]


def test_the_wait_a_chat_asks_for_is_kept(store: Store, clock: Clock) -> None:
    chat = Chat(RetryLaterError("over the limit", after=61.0))
    drain(store, {"wecom": chat}, clock)
    clock.now += 60
    assert drain(store, {"wecom": chat}, clock) == 0
    clock.now += 1
    assert drain(store, {"wecom": chat}, clock) == 3


def test_a_refused_message_is_on_record_and_the_next_one_goes(store: Store, clock: Clock) -> None:
    chat = Chat(RefusedError("WeCom answered 40058", "too long"))
    assert drain(store, {"wecom": chat}, clock) == 2
    assert states(store) == [OutboxState.DEAD, OutboxState.SENT, OutboxState.SENT]
    assert "40058" in str(store.outbox()[0].error)


def test_an_unexplained_refusal_is_tried_so_often_and_no_more(store: Store, clock: Clock) -> None:
    chat = Chat(*[RetryLaterError("WeCom answered 12345", tries=3)] * 3)
    for _ in range(3):
        drain(store, {"wecom": chat}, clock)
        clock.now += 400
    assert chat.tried[:3] == ["a", "a", "a"]
    assert states(store) == [OutboxState.DEAD, OutboxState.SENT, OutboxState.SENT]


def test_the_rate_of_a_channel_is_kept_within_a_pass(store: Store, clock: Clock) -> None:
    chat = Chat(rate=2)
    assert drain(store, {"wecom": chat}, clock) == 2
    assert store.due(clock(), 9)[0].message.key == "c", "what may not go yet is not even claimed"


def test_a_pass_ends_after_so_many_messages(store: Store, clock: Clock) -> None:
    store.enqueue([make_message(key=str(n)) for n in range(PER_PASS)], clock())
    assert drain(store, {"wecom": Chat()}, clock) == PER_PASS


def test_old_news_is_given_up(store: Store, clock: Clock) -> None:
    clock.now += MAX_AGE + 1
    chat = Chat()
    assert drain(store, {"wecom": chat}, clock) == 0
    assert chat.tried == []
    assert states(store) == [OutboxState.DEAD] * 3


@pytest.mark.parametrize("payload", ["", "no json", "[]", '"text"', "{"])
def test_a_payload_that_is_no_object_is_given_up(store: Store, clock: Clock, payload: str) -> None:
    store.enqueue([make_message(key="bad", channel="x", payload=payload)], clock())
    assert drain(store, {"x": Chat()}, clock) == 0
    assert "not a JSON object" in str(store.outbox(state=OutboxState.DEAD)[0].error)


@pytest.mark.parametrize(("waiting", "given_up"), [("store", 1), ("crowd", 12)], ids=["one by one", "together"])
def test_a_bug_in_one_channel_does_not_silence_the_others(
    request: pytest.FixtureRequest, clock: Clock, waiting: str, given_up: int
) -> None:
    store: Store = request.getfixturevalue(waiting)
    store.enqueue([make_message(key="d", channel="x")], clock())
    broken = Chat(*[ZeroDivisionError()] * 99)
    assert drain(store, {"wecom": broken, "x": Chat()}, clock) == 1
    for _ in range(2):
        clock.now += 400
        drain(store, {"wecom": broken}, clock)
    assert states(store)[:given_up] == [OutboxState.DEAD] * given_up


def test_messages_for_unknown_channels_wait(store: Store, clock: Clock) -> None:
    assert drain(store, {}, clock) == 0
    assert states(store) == [OutboxState.WAITING] * 3


def test_a_drainer_that_died_in_mid_delivery_is_followed_by_another(store: Store, clock: Clock) -> None:
    store.due(clock(), 1, channel="wecom")
    chat = Chat()
    assert drain(store, {"wecom": chat}, clock) == 0
    clock.now += 121
    assert drain(store, {"wecom": chat}, clock) == 3
    assert chat.taken == ["a", "b", "c"]


def test_a_backlog_with_short_forms_is_told_in_few_messages_and_nothing_is_lost(clock: Clock) -> None:
    class Group(Chat):
        def deliver(self, payload: Mapping[str, Any], key: str) -> None:
            super().deliver(payload, key)
            told.extend(payload["markdown"].split("\n"))

    told: list[str] = []
    with Store("sqlite://") as store:
        rows = [make_message(key=f"k{n}", payload=f'{{"markdown": "m", "line": "run {n}"}}') for n in range(100)]
        store.enqueue(rows, clock())
        chat = Group(RetryLaterError("busy", after=1.0))
        assert drain(store, {"wecom": chat}, clock) == 0
        clock.now += 2
        assert drain(store, {"wecom": chat}, clock) == 100
        assert told == [f"run {n}" for n in range(100)], "in order, each once"
        assert len(chat.taken) == 3
        assert states(store) == [OutboxState.SENT] * 100


@pytest.fixture
def crowd(clock: Clock) -> Iterator[Store]:
    """So many messages with a short form that they are told together."""
    with Store("sqlite://") as store:
        rows = [make_message(key=f"k{n}", payload=f'{{"markdown": "m", "line": "run {n}"}}') for n in range(12)]
        store.enqueue(rows, clock())
        yield store


def test_old_news_is_given_up_however_much_waits_with_it(crowd: Store, clock: Clock) -> None:
    clock.now += MAX_AGE + 1
    crowd.enqueue([make_message(key="fresh")], clock())
    chat = Chat()
    assert drain(crowd, {"wecom": chat}, clock) == 1
    assert chat.taken == ["fresh"]
    assert states(crowd) == [OutboxState.DEAD] * 12 + [OutboxState.SENT]


def test_messages_told_together_are_tried_no_oftener_than_one_alone(crowd: Store, clock: Clock) -> None:
    chat = Chat(*[RetryLaterError("WeCom answered 12345", tries=3)] * 99)
    for _ in range(9):
        drain(crowd, {"wecom": chat}, clock)
        clock.now += 400
    assert len(chat.tried) == 3
    assert states(crowd) == [OutboxState.DEAD] * 12


def test_one_line_that_is_refused_costs_itself_and_not_what_was_to_be_told_with_it(crowd: Store, clock: Clock) -> None:
    class Picky(Chat):
        def deliver(self, payload: Mapping[str, Any], key: str) -> None:
            if key == "k3" or "line" not in payload:  # what is told together has lines of many
                self.tried.append(key)
                raise RefusedError("WeCom answered 40058", "too long")
            super().deliver(payload, key)

    chat = Picky(rate=6)
    assert drain(crowd, {"wecom": chat}, clock) == 4
    assert chat.tried == ["k0", "k0", "k1", "k2", "k3", "k4"], "no oftener than the channel takes"
    assert {entry.attempts for entry in crowd.outbox()[5:]} == {0}
    chat.rate = 99
    assert drain(crowd, {"wecom": chat}, clock) == 7
    assert [entry.message.key for entry in crowd.outbox(state=OutboxState.DEAD)] == ["k3"]
    assert chat.taken == [f"k{n}" for n in range(12) if n != 3]


def test_a_message_without_a_short_form_is_never_merged(clock: Clock) -> None:
    with Store("sqlite://") as store:
        store.enqueue([make_message(key=f"k{n}") for n in range(20)], clock())
        chat = Chat()
        drain(store, {"wecom": chat}, clock)
        assert len(chat.taken) == 20
        assert {entry.attempts for entry in store.outbox()} == {1}


def test_channels_made_on_demand_are_drained_too(store: Store, clock: Clock) -> None:
    chat = Chat()
    assert drain(store, {}, clock, lambda name: chat if name == "wecom" else None) == 3
