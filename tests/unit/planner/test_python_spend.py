from __future__ import annotations

import random

import pytest

from orchestrator.domain.plan import Priority, Suite
from orchestrator.planner.python.spend import _best, _Item, _Purse
from orchestrator.planner.rank import Candidate


def things(count: int, seed: int) -> tuple[_Purse, list[_Item]]:
    """Test files in tasks of ten, each noticing a few of twenty changed files; many are alike."""
    chance = random.Random(seed)
    tasks = [Candidate(Suite.UNIT_TEST, f"t{n}", 0.5, Priority.LOW, ()) for n in range(count // 10)]
    changed = [f"f{n}.py" for n in range(20)]
    items = [
        _Item(
            chance.choice(tasks),
            f"{n}.py",
            chance.choice([0.0, 0.5, 3.0]),
            {what: chance.choice([0.1, 0.5, 1.0]) for what in chance.sample(changed, chance.randint(0, 3))},
        )
        for n in range(count)
    ]
    return _Purse(chance.uniform(1.0, 2.0 * count), {what: chance.uniform(1, 5) for what in changed}, 2.0), items


@pytest.mark.parametrize("seed", range(40))
def test_what_is_taken_is_the_best_of_all_that_fit_each_time(seed: int) -> None:
    purse, waiting = things(60, seed)
    expected = []
    while fitting := [item for item in waiting if purse.price(item) <= purse.left]:
        best = max(fitting, key=purse.worth)
        purse.take(best)
        waiting.remove(best)
        expected.append(best.file)
    assert [item.file for item in _best(*things(60, seed))] == expected


def test_ten_times_the_tests_are_not_a_hundred_times_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    worth, counts = _Purse.worth, list[int]()

    def counted(purse: _Purse, item: _Item) -> float:
        counts[-1] += 1
        return worth(purse, item)

    monkeypatch.setattr(_Purse, "worth", counted)
    for size in (300, 3000):
        counts.append(0)
        assert list(_best(*things(size, 1)))
    assert counts[1] < 30 * counts[0], counts
