"""Turns between pull requests: as arithmetic, and on a real Redis."""

from __future__ import annotations

import pytest

from orchestrator.domain.profile import Dispatch
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.ledger.waiting import Place
from orchestrator.messaging import App, parse_message_id
from orchestrator.runs import canvas, control
from orchestrator.runs.fairness import Account, Leveller, Scene, better
from orchestrator.runs.reaper import MESSAGE_MARGIN, Reaper
from tests.factories import make_plan, make_task

NOW = 1000.0


def flow(name: str, count: int, since: float = NOW, weight: float = 1.0) -> list[tuple[tuple[str, str], Place]]:
    return [((name, f"ut-{n}"), Place(name, weight, "ut", since + n / 1e6)) for n in range(count)]


def scene(*flows: list[tuple[tuple[str, str], Place]], **running: int) -> Scene:
    return Scene({shards[0][1].flow: shards for shards in flows}, running, NOW)


def start(ledger: Ledger, app: App, shards: int, pull: int) -> str:
    tasks = [make_task(f"pkg/{n:04}", f"ut-{n:04}") for n in range(shards)]
    return control.start(app, ledger, make_plan(tasks, pull=pull))


def test_levels_grow_with_the_logarithm_of_the_turn_over_the_weight() -> None:
    assert [canvas.level(turn) for turn in (0, 1, 2, 3, 4, 127, 128, 10**6)] == [1, 2, 3, 3, 4, 8, 9, 9]
    assert canvas.level(128, weight=16.0) == canvas.level(8)


def test_who_has_a_queue_to_itself_is_left_alone() -> None:
    assert better(scene(flow("a", 50))) == {}


def test_turns_are_counted_from_what_runs_already() -> None:
    levels = better(scene(flow("a", 50), flow("b", 2), a=4))
    assert [levels["a", "ut-0"], levels["a", "ut-1"]] == [canvas.level(4), canvas.level(5)]
    assert [levels["b", "ut-0"], levels["b", "ut-1"]] == [1, 2]


def test_who_waited_long_is_owed_a_quarter_of_the_places_and_no_more() -> None:
    old, new = flow("old", 50, since=NOW - 500), flow("new", 50)
    levels = better(scene(old, new, new=8))
    assert [shard for shard, level in levels.items() if level == 0] == [("old", "ut-0"), ("old", "ut-1")]
    assert 0 not in better(scene(old, new, new=6, old=2)).values()
    assert 0 not in better(scene(old, new, new=8), patience=600).values()
    assert list(better(scene(old, new, new=6, old=2), patience=60, behind=61).values()).count(0) == 2


def test_a_queue_settles_over_time_what_it_owes() -> None:
    flows = {"old": flow("old", 50, since=0.0), "new": flow("new", 50)}
    account, behind = Account(), []
    for step, running in enumerate([{"new": 8}, {"new": 8}, {"new": 6, "old": 2}, {"old": 8}, {"new": 8}]):
        behind.append(account.settle(Scene(flows, running, 1000.0 + 10 * step), 100.0))
    assert behind == pytest.approx([0.0, 22.4, 24.8, 0.0, 22.4])
    others = {"new": flows["new"], "b": flow("b", 1)}
    assert account.settle(Scene(others, {"new": 8}, 1050.0), 100.0) == 0.0, "what is owed is owed to one flow"


def test_of_several_that_waited_long_the_one_that_came_first_is_owed() -> None:
    levels = better(scene(flow("a", 9, since=NOW - 400), flow("b", 9, since=NOW - 500), flow("c", 1), b=1, c=7))
    assert [shard for shard, level in levels.items() if level == 0] == [("b", "ut-0")]


def test_a_small_run_and_a_big_one_take_turns(ledger: Ledger, app: App) -> None:
    big, small = start(ledger, app, 200, pull=1), start(ledger, app, 3, pull=2)
    leveller, order = Leveller(ledger, app), []
    for _ in range(8):
        leveller.tick()
        order.append(serve(ledger))
    assert order.count(small) == 3
    assert big in order[:2]


def serve(ledger: Ledger) -> str:
    """Take the next message as a worker does, and finish it when the gate lets it pass; whose it was."""
    while True:
        seen = take(ledger)
        spec = ledger.spec(seen.run, seen.shard)
        assert spec is not None
        gate, _ = ledger.start(seen, "w", spec.tasks[0].id, 30)
        if gate is Gate.OK:
            return seen.run
        assert gate is Gate.STALE


def take(ledger: Ledger) -> Delivery:
    for level in range(10):
        head = ledger.head("ut", level)
        if head is not None:
            ledger.redis.rpop("ut" if level == 0 else f"ut\x06\x16{level}")
            parsed = parse_message_id(head)
            assert parsed is not None
            return Delivery(*parsed)
    raise AssertionError("no message is left")


def test_a_shard_sent_again_runs_once(ledger: Ledger, app: App) -> None:
    big = start(ledger, app, 40, pull=1)
    start(ledger, app, 1, pull=2)
    assert Leveller(ledger, app, patience=0.0001).tick() > 0
    ran = [serve(ledger) for _ in range(41)]
    assert ran.count(big) == 40
    while ledger.queue_length("ut"):
        seen = take(ledger)
        spec = ledger.spec(seen.run, seen.shard)
        assert spec is not None
        assert ledger.start(seen, "v", spec.tasks[0].id, 30)[0] is not Gate.OK


def test_no_message_counts_as_lost_because_another_was_sent_again(
    ledger: Ledger, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(ledger, app, 40, pull=1)
    start(ledger, app, 1, pull=2)
    early = ledger.now()
    Leveller(ledger, app, patience=0.0001).tick()
    before = ledger.queue_length("ut")
    ledger.tick(early)
    watcher = Reaper(ledger, app, "me", lambda run: None, Dispatch(lease=1000.0))
    watcher.tick()
    monkeypatch.setattr(ledger, "now", lambda: early + 2 * MESSAGE_MARGIN)
    watcher.tick()
    assert ledger.queue_length("ut") == before


def test_what_was_cancelled_or_started_meanwhile_is_not_sent_again(ledger: Ledger, app: App) -> None:
    run = start(ledger, app, 3, pull=1)
    first, second, third = ledger.current([(run, f"ut-{n:04}") for n in range(3)])
    ledger.start(first, "w", "ut:pkg/0000", 30)
    assert ledger.relevel(first, 0) is None
    assert ledger.relevel(second, 9) is None, "never to a worse level"
    assert ledger.relevel(second, 0) == Delivery(run, second.shard, 2, "ut", 0)
    assert ledger.relevel(second, 0) is None, "its message is an older one by now"
    control.cancel(app, ledger, run, "somebody")
    assert ledger.relevel(third, 0) is None
