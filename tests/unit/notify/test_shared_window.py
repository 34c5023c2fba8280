"""One window for all who write to a channel, by Redis' clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from orchestrator.notify.base import RetryLaterError
from orchestrator.notify.wecom.limits import SharedWindow, WindowClient, shared_windows


@pytest.fixture
def clients(valkey_url: str) -> Iterator[list[WindowClient]]:
    """Three processes' worth of connections."""
    made = [WindowClient(valkey_url) for _ in range(3)]
    made[0].redis.flushall()
    yield made
    for client in made:
        client.redis.close()


def taken(window: SharedWindow) -> bool:
    try:
        with window.slot():
            return True
    except RetryLaterError as error:
        return not error.after  # a refusal that says for how long


def test_many_at_once_take_exactly_the_limit(clients: list[WindowClient]) -> None:
    won: list[bool] = []
    windows = [SharedWindow(client, "robot:x", [(20, 60)]) for client in clients]
    threads = [threading.Thread(target=lambda w=window: won.extend(taken(w) for _ in range(20))) for window in windows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == 20
    assert 55 < windows[0].wait() <= 61


def test_a_window_rolls_and_both_limits_hold(clients: list[WindowClient]) -> None:
    short, long = (SharedWindow(clients[0], "bot:c", [(2, -0.45), (limit, 3600)]) for limit in (1000, 3))
    assert taken(short)
    assert taken(short)
    while not taken(short):  # the short window of 0.05 s rolls on
        pass
    assert not taken(long), "three in an hour"


def test_who_has_no_hurry_is_spaced_out_once_half_of_the_window_is_used(clients: list[WindowClient]) -> None:
    window = SharedWindow(clients[0], "robot:p", [(20, 60)])
    for _ in range(9):
        assert window.wait() == 0
        assert taken(window)
    assert taken(window)
    assert 2 < window.wait() <= 3.1, "one each three seconds"
    assert taken(window), "an answer to a person is not held back"


def test_channels_have_windows_of_their_own_and_asking_takes_nothing(clients: list[WindowClient]) -> None:
    windows = shared_windows(clients[0], "app")
    assert all(windows("a").wait() == 0 for _ in range(50))
    assert all(taken(windows("a")) for _ in range(30))  # type: ignore[arg-type]
    assert not taken(windows("a"))  # type: ignore[arg-type]
    assert taken(windows("b"))  # type: ignore[arg-type]


def test_a_blocked_channel_is_blocked_for_everybody(clients: list[WindowClient]) -> None:
    first, second = (SharedWindow(client, "robot:y", [(20, 60)]) for client in clients[:2])
    first.block(61)
    assert 60 < second.wait() <= 61
    assert not taken(second)


def test_without_redis_a_message_waits_and_is_not_given_up() -> None:
    client = WindowClient("redis://127.0.0.1:1/0")
    with pytest.raises(RetryLaterError) as error, SharedWindow(client, "robot:z", [(20, 60)]).slot():
        pytest.fail("nothing may be sent")
    assert error.value.tries is None
