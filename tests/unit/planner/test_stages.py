from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import BadProfileError
from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Dispatch
from orchestrator.planner.cost import cost, critical_path
from orchestrator.planner.evidence import Context, Evidence
from orchestrator.planner.pack import pack
from orchestrator.planner.pipeline import build_plan, make_context, propose
from orchestrator.planner.rank import rank, task_id
from orchestrator.planner.select import select
from orchestrator.planner.shard import shard
from orchestrator.planner.strategies import strategies_named
from tests.unit.planner.factories import PROFILE, make_change

CONTEXT = Context(PROFILE, frozenset(PROFILE.bvt.categories))


def evidence(name: str, weight: float, priority: Priority = Priority.LOW, files: tuple[str, ...] = ()) -> Evidence:
    return Evidence("test", Suite.BVT, name, priority, weight, f"because of {weight}", files)


def make_task(name: str, seconds: float, priority: Priority = Priority.LOW) -> TestTask:
    return TestTask(task_id(Suite.BVT, name), Suite.BVT, priority, (), category=name, est_duration=seconds)


def test_rank_adds_up_the_evidence_of_one_test() -> None:
    pieces = [evidence("join", 0.5), evidence("cte", 0.4), evidence("join", 0.5, Priority.CRITICAL)]
    first, second = rank(pieces, CONTEXT).candidates
    assert (first.id, first.score, first.priority, len(first.reasons)) == ("bvt:join", 0.75, Priority.CRITICAL, 2)
    assert (second.id, second.score) == ("bvt:cte", 0.4)


def test_rank_joins_files_and_evidence_for_a_whole_category_wins() -> None:
    some = [evidence("join", 0.1, files=("b.sql",)), evidence("join", 0.1, files=("a.sql", "b.sql"))]
    assert rank(some, CONTEXT).candidates[0].files == ("a.sql", "b.sql")
    assert rank([*some, evidence("join", 0.1)], CONTEXT).candidates[0].files == ()


def test_select_says_of_every_known_test_that_is_not_chosen_why() -> None:
    selected = select(rank([evidence("join", 0.5)], CONTEXT), CONTEXT, DiffSummary(()))
    omitted = {task_id(test.type, test.name) for test in selected.omitted}
    known = {f"bvt:{name}" for name in PROFILE.bvt.categories} | {"sca:vet", "sca:lint"}
    assert omitted >= known - {"bvt:join"}
    assert "bvt:join" not in omitted


def test_every_stage_prints() -> None:
    change = make_change("pkg/plan/a.go", "Makefile")
    context = make_context(change, PROFILE)
    proposed = propose(change, context, strategies_named(["rules", "safety"]))
    ranked = rank(proposed.evidence, context)
    selected = select(ranked, context, change)
    sharded = shard([make_task("join", 5.0)], PROFILE)
    for stage in (proposed, ranked, selected):
        assert "pkg/plan" in str(stage)
    assert str(sharded) == "bvt-1 65.0 s: bvt:join"


def test_order_groups_stay_together_in_order_in_one_shard() -> None:
    tasks = [make_task(name, 50.0) for name in ("last", "join", "second", "first", "cte")]
    sharded = shard(tasks, PROFILE)
    homes = [made.tasks for made in sharded.shards if "bvt:first" in made.tasks]
    assert len(homes) == 1
    assert [task for task in homes[0] if task not in ("bvt:join", "bvt:cte")] == ["bvt:first", "bvt:second", "bvt:last"]


def test_an_order_group_is_kept_when_only_some_of_it_runs() -> None:
    sharded = shard([make_task("last", 200.0), make_task("first", 1.0)], PROFILE)
    assert [made.tasks for made in sharded.shards] == [("bvt:first", "bvt:last")]


def test_within_a_shard_urgent_tasks_run_first() -> None:
    tasks = [make_task("a", 9.0), make_task("b", 1.0, Priority.HIGH)]
    assert shard(tasks, PROFILE).shards[0].tasks == ("bvt:b", "bvt:a")


def test_a_shard_of_nothing_but_skipped_tasks_needs_no_set_up() -> None:
    task = TestTask("bvt:x", Suite.BVT, Priority.LOW, (), category="x", skip=True)
    assert shard([task], PROFILE).shards[0].est_duration == 0


names = st.lists(st.sampled_from(["first", "second", "last", *map(str, range(30))]), unique=True, max_size=25)


@given(names, st.lists(st.floats(0, 400), min_size=25, max_size=25))
def test_every_task_is_in_exactly_one_shard(chosen: list[str], seconds: list[float]) -> None:
    tasks = [make_task(name, length) for name, length in zip(chosen, seconds, strict=False)]
    sharded = shard(tasks, PROFILE)
    placed = [task for made in sharded.shards for task in made.tasks]
    assert sorted(placed) == sorted(task.id for task in tasks)
    assert {task.id: task.shard for task in sharded.tasks} == {
        task: made.id for made in sharded.shards for task in made.tasks
    }


@given(st.lists(st.floats(1, 90), max_size=30))
def test_packing_needs_no_more_bins_than_the_work_and_fills_them_evenly(seconds: list[float]) -> None:
    bins = pack([(make_task(str(number), length),) for number, length in enumerate(seconds)], 100.0)
    loads = [sum(task.est_duration for atom in inside for task in atom) for inside in bins]
    assert len(bins) == -(-sum(seconds) // 100.0)
    assert max(loads, default=0.0) - min(loads, default=0.0) <= max(seconds, default=0.0) + 0.001


def test_the_critical_path_takes_the_longest_first() -> None:
    assert critical_path([3, 3, 2, 2, 2], 2) == 7
    assert critical_path([5, 1], 4) == 5
    assert critical_path([], 3) == 0


@given(st.lists(st.floats(0, 100), max_size=8), st.integers(1, 4))
def test_the_critical_path_is_between_the_bounds_of_list_scheduling(durations: list[float], workers: int) -> None:
    share, longest = sum(durations) / workers, max(durations, default=0.0)
    assert max(share, longest) - 0.1 <= critical_path(durations, workers) <= share + longest + 0.1


def test_cost_adds_up_by_suite() -> None:
    shards = shard([make_task("a", 100.0), make_task("b", 100.0)], PROFILE).shards
    price = cost(shards, 2)
    assert price.runner_seconds == pytest.approx(320.0)
    assert price.by_suite == (("bvt", 320.0),)
    assert price.critical_path == pytest.approx(160.0)


def test_the_same_evidence_in_any_order_gives_the_same_ranking() -> None:
    pieces = [evidence("join", 0.5), evidence("cte", 0.5), evidence("text", 0.5)]
    rankings = {
        tuple(candidate.id for candidate in rank(order, CONTEXT).candidates) for order in itertools.permutations(pieces)
    }
    assert rankings == {("bvt:cte", "bvt:join", "bvt:text")}


@pytest.mark.parametrize("workers", [0, -1])
def test_a_profile_without_workers_is_refused(workers: int) -> None:
    profile = replace(PROFILE, dispatch=replace(PROFILE.dispatch, workers=workers))
    with pytest.raises(BadProfileError, match=f"dispatch.workers is {workers}"):
        build_plan(make_change("pkg/plan/a.go"), profile)


@pytest.mark.parametrize("setup", [300.0, 599.0, 600.0, 5000.0])
def test_however_long_set_up_takes_shards_are_no_shorter_than_half_of_their_length(setup: float) -> None:
    profile = replace(
        PROFILE,
        bvt=replace(PROFILE.bvt, setup_seconds=setup, order_groups=()),
        dispatch=Dispatch(shard_seconds=600.0, workers=1),
    )
    tasks = [make_task(f"c{number}", 10.0) for number in range(300)]
    assert len(shard(tasks, profile).shards) == 10


@pytest.mark.parametrize("groups", [(("a", "b"), ("b", "c")), (("a", "a"),)])
def test_a_category_of_two_order_groups_is_a_fault_of_the_profile(groups: tuple[tuple[str, ...], ...]) -> None:
    profile = replace(PROFILE, bvt=replace(PROFILE.bvt, order_groups=groups))
    with pytest.raises(BadProfileError, match=r"order_groups has '[ab]' twice"):
        shard([make_task("c", 1.0)], profile)
