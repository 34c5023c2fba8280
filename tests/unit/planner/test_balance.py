"""How plans are cut: level shards, set-up counted, groups and labels kept; estimates from what is known best."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.errors import BadPlanError, BadProfileError, UsageError
from orchestrator.domain.plan import Priority, Suite, TestPlan, TestTask
from orchestrator.domain.profile import Profile
from orchestrator.planner import estimate
from orchestrator.planner.cost import critical_path
from orchestrator.planner.evidence import Context
from orchestrator.planner.measured import Measured, read_durations, write_durations
from orchestrator.planner.pack import length, level, longest_first
from orchestrator.planner.pipeline import build_plan
from orchestrator.planner.shard import shard
from orchestrator.planner.verify import check
from tests.unit.planner.factories import PROFILE, FakeTree, make_change


def make_task(name: str, seconds: float) -> TestTask:
    return TestTask(f"bvt:{name}", Suite.BVT, Priority.LOW, (), category=name, est_duration=seconds)


def profile(**bvt: object) -> Profile:
    return dataclasses.replace(PROFILE, bvt=dataclasses.replace(PROFILE.bvt, **bvt))  # type: ignore[arg-type]


def labelled(**labels: str) -> Profile:
    names = {f"bvt:{name}": label for name, label in labels.items()}
    return dataclasses.replace(PROFILE, dispatch=dataclasses.replace(PROFILE.dispatch, labels=names))


class CountedTree(FakeTree):
    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__(*counts)
        self.counts = counts

    def count(self, expression: str, path: str, glob: str) -> dict[str, int]:
        assert expression
        return {name: number for name, number in self.counts.items() if name.startswith(path)}


@given(st.lists(st.floats(0.1, 90), min_size=1, max_size=40), st.integers(1, 8))
def test_levelling_moves_nothing_out_and_makes_the_longest_no_longer(seconds: list[float], count: int) -> None:
    atoms = [(make_task(str(number), size),) for number, size in enumerate(sorted(seconds, reverse=True))]
    bins = longest_first(atoms, count)
    before = max(sum(map(length, inside)) for inside in bins)
    level(bins)
    assert sorted(atom[0].id for inside in bins for atom in inside) == sorted(atom[0].id for atom in atoms)
    assert max(sum(map(length, inside)) for inside in bins) <= before + 1e-6


def test_exchanges_find_the_even_cut_that_longest_first_misses() -> None:
    atoms = [(make_task(str(number), size),) for number, size in enumerate([8.0, 7.0, 6.0, 5.0, 4.0])]
    bins = longest_first(atoms, 2)
    level(bins)
    assert sorted(sum(map(length, inside)) for inside in bins) == [15.0, 15.0]


def test_workers_that_would_idle_get_shards_while_set_up_stays_cheap() -> None:
    tasks = [make_task(str(number), 10.0) for number in range(60)]
    cheap = dataclasses.replace(PROFILE.dispatch, shard_seconds=230.0, workers=4, overhead=0.25)
    thrifty = dataclasses.replace(cheap, overhead=0.0)
    base = profile(setup_seconds=30.0)
    many = shard(tasks, dataclasses.replace(base, dispatch=cheap)).shards
    few = shard(tasks, dataclasses.replace(base, dispatch=thrifty)).shards
    assert (len(few), len(many)) == (3, 4)
    waits = [critical_path([made.est_duration for made in shards], 4) for shards in (few, many)]
    assert waits == [230.0, 180.0]


def test_an_exclusive_category_is_alone_and_a_plan_that_says_otherwise_is_refused() -> None:
    alone = profile(exclusive=("join",))
    tasks = [make_task(name, 5.0) for name in ("join", "cte", "text")]
    shards = shard(tasks, alone).shards
    assert ("bvt:join",) in [made.tasks for made in shards]
    plan = build_plan(make_change("pkg/plan/a.go"), PROFILE)
    check(plan, PROFILE)
    with pytest.raises(BadPlanError, match="exclusive"):
        check(plan, alone)
    check(build_plan(make_change("pkg/plan/a.go"), alone), alone)


def test_a_label_sends_a_task_to_the_hosts_that_have_it() -> None:
    gpu = labelled(join="gpu")
    plan: TestPlan = build_plan(make_change("pkg/plan/a.go"), gpu)
    queues = {task: made.queue for made in plan.shards for task in made.tasks}
    assert (queues["bvt:join"], queues["bvt:cte"]) == ("bvt.gpu", "bvt")
    check(plan)
    with pytest.raises(BadPlanError, match=r"'bvt:join' is for queue 'bvt'"):
        check(plan, PROFILE)


def test_labels_that_cannot_be_are_faults_of_the_profile() -> None:
    with pytest.raises(BadProfileError, match="no label of hosts"):
        shard([make_task("join", 1.0)], labelled(join="GPU 7"))
    with pytest.raises(BadProfileError, match="order group"):
        shard([make_task("first", 1.0)], labelled(first="gpu"))


def test_what_was_measured_is_believed_before_the_profile() -> None:
    measured = Measured({"ut:pkg/plan/...": 7.25, "cases/join/a.sql": 1.0, "cases/join/b.sql": 3.0, "setup:bvt": 5.0})
    context = Context(PROFILE, frozenset(), measured=measured)
    assert estimate.seconds(Suite.UNIT_TEST, "pkg/plan/...", (), context) == 7.2
    assert estimate.seconds(Suite.BVT, "join", ("a.sql", "b.sql"), context) == 4.0
    assert estimate.seconds(Suite.BVT, "join", ("a.sql", "new.sql"), context) == 2.0, "a new script as those known"
    assert estimate.seconds(Suite.BVT, "join", (), context) == 30.0, "a part says nothing of the whole"
    assert shard([make_task("join", 1.0)], PROFILE, measured).shards[0].est_duration == 6.0


def test_a_plan_says_how_much_of_it_is_measured() -> None:
    change = make_change("pkg/plan/a.go")
    assert not any("measured" in note for note in build_plan(change, PROFILE).notes)
    plan = build_plan(change, PROFILE, measured=Measured({"bvt:join": 2.5}))
    assert f"1 of {len(plan.tasks)} durations are measured." in plan.notes
    join = plan.task("bvt:join")
    assert join is not None
    assert join.est_duration == 2.5


def test_before_any_history_statements_and_tests_of_the_tree_are_counted() -> None:
    tree = CountedTree(
        {"cases/new/a.sql": 100, "cases/new/b.test": 50, "cases/new/a.result": 9999, "pkg/x/x_test.go": 400}
    )
    context = Context(PROFILE, frozenset(), tree)
    statement = PROFILE.bvt.seconds_per_statement
    assert estimate.seconds(Suite.BVT, "new", (), context) == round(150 * statement, 1)
    assert estimate.seconds(Suite.BVT, "new", ("b.test",), context) == round(50 * statement, 1)
    assert estimate.seconds(Suite.UNIT_TEST, "pkg/x/...", (), context) == 40.0
    assert estimate.seconds(Suite.UNIT_TEST, "pkg/y/...", (), context) == PROFILE.unit_tests.seconds_per_package


def test_measured_seconds_come_back_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "state" / "durations.json"
    write_durations(file, {"toy": {"ut:a": 1.5}})
    assert read_durations(file, "toy").task("ut:a") == 1.5
    assert read_durations(file, "other").task("ut:a") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "profiles": {}}',
        '{"version": 1, "profiles": {"toy": {"a": -1}}}',
        '{"version": 1, "profiles": {"toy": {"a": NaN}}}',
    ],
)
def test_a_file_of_something_else_is_a_usage_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "durations.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="no file of measured seconds"):
        read_durations(file, "toy")
