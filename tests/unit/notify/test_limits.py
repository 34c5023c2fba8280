from __future__ import annotations

import random

from orchestrator.notify.wecom.limits import RollingWindow


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def attempt(window: RollingWindow) -> None:
    with window.slot():
        pass


def test_the_twenty_first_attempt_waits_for_the_first_to_leave_the_window() -> None:
    clock = Clock()
    window = RollingWindow(20, 60, clock)
    for _ in range(20):
        assert window.wait() == 0
        attempt(window)
        clock.now += 1
    assert window.wait() == 40.5
    clock.now += 40.5
    assert window.wait() == 0
    attempt(window)
    assert 0 < window.wait() <= 1


def test_being_blocked_silences_even_an_empty_window() -> None:
    clock = Clock()
    window = RollingWindow(20, 60, clock)
    window.block(61)
    assert window.wait() == 61
    clock.now += 61
    assert window.wait() == 0


def test_no_rolling_minute_ever_holds_more_than_the_limit() -> None:
    clock, chance = Clock(), random.Random(7)
    window = RollingWindow(20, 60, clock)
    attempts: list[float] = []
    while len(attempts) < 300:
        clock.now += window.wait() or chance.choice((0, 0, 0.3, 4))
        if window.wait() == 0:
            attempts.append(clock.now)
            attempt(window)
    assert all(later - early >= 60 for early, later in zip(attempts, attempts[20:], strict=False))
    assert attempts[-1] - attempts[0] < 60 * 20, "the limit is used, not only kept"
