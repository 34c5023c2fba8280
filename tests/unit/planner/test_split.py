"""Long categories become parts at their scripts: level, complete, disjoint, and people still see the category."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.errors import BadPlanError, UnknownRunError, UsageError
from orchestrator.domain.plan import TestPlan, TestTask, whole_of
from orchestrator.domain.profile import Bvt, Dispatch, Profile
from orchestrator.planner.codec import dumps, loads, subset
from orchestrator.planner.encode import plan_to_json
from orchestrator.planner.escapes import Failure, covers
from orchestrator.planner.failures import Spoken
from orchestrator.planner.learned import Advice
from orchestrator.planner.measured import Measured
from orchestrator.planner.pipeline import build_plan
from orchestrator.planner.proof import preview
from orchestrator.planner.render.explain import explain, explain_text
from orchestrator.planner.split import Group, cut
from orchestrator.planner.subset import first_scripts
from orchestrator.planner.verify import check
from tests.unit.planner.factories import FakeTree, make_change

BIG = [f"s{number:02}.sql" for number in range(40)]
TREE = FakeTree(*(f"cases/big/{name}" for name in BIG), "cases/big/a.result", "cases/small/a.sql")
PROFILE = Profile(
    name="toy",
    bvt=Bvt(cases="cases", categories={"big": 40_000, "small": 100}, setup_seconds=10.0, seconds_per_statement=0.01),
    dispatch=Dispatch(shard_seconds=200.0, workers=4),
)


def make_plan(profile: Profile = PROFILE, measured: Measured | None = None, tree: FakeTree | None = TREE) -> TestPlan:
    return build_plan(
        make_change("x.go"), profile, strategies=("rules",), asked=["big", "small"], tree=tree, measured=measured
    )


def with_bvt(**bvt: object) -> Profile:
    return dataclasses.replace(PROFILE, bvt=dataclasses.replace(PROFILE.bvt, **bvt))  # type: ignore[arg-type]


def parts_of(plan: TestPlan, category: str = "big") -> list[TestTask]:
    return [task for task in plan.tasks if task.category == category]


PLAN = make_plan()


def test_a_category_longer_than_a_fair_share_is_split_and_the_shards_are_level() -> None:
    parts = parts_of(PLAN)
    assert [task.id for task in parts] == [f"bvt:big#{number}" for number in range(1, len(parts) + 1)]
    assert preview(PLAN).evenness["bvt"] <= 1.02
    assert preview(PLAN).partition.holds
    assert parts_of(PLAN, "small")[0].id == "bvt:small", "what is short stays whole"
    whole = parts_of(make_plan(tree=None))
    assert [task.id for task in whole] == ["bvt:big"], "without a tree nobody knows the scripts"
    assert whole[0].est_duration == pytest.approx(sum(task.est_duration for task in parts), abs=1)


def test_every_script_is_in_exactly_one_part_in_path_order() -> None:
    assert [file for task in parts_of(PLAN) for file in task.files] == BIG


def test_the_preview_counts_the_parts_and_names_a_script_that_is_in_two() -> None:
    first, second, *_ = parts_of(PLAN)
    found = preview(PLAN).partition
    assert str(found).endswith(f"no script is in two of {len(parts_of(PLAN))} parts")
    twice = dataclasses.replace(first, files=(*first.files, second.files[0]))
    wrong = dataclasses.replace(PLAN, tasks=tuple(twice if task is first else task for task in PLAN.tasks))
    assert str(preview(wrong).partition) == f"no partition: in several parts: big/{second.files[0]}"


def test_people_still_see_the_category_and_how_much_of_it_a_part_is() -> None:
    first, *rest = parts_of(PLAN)
    assert first.category == "big"
    assert first.note == f"part 1 of {len(rest) + 1}: {len(first.files)} of 40 scripts"
    assert "BVT 2 categories" in PLAN.summary
    assert {task["id"] for task in explain(PLAN, "bvt:big")["tasks"]} == {task.id for task in parts_of(PLAN)}
    assert explain_text(PLAN, "bvt:big/s00.sql").startswith("bvt:big#1: chosen")
    assert "only s00.sql" in explain_text(PLAN, "bvt:big#1")


def test_the_json_of_a_part_has_the_fields_of_any_task_and_the_same_bytes_each_time() -> None:
    whole, part = (plan_to_json(plan)["tasks"][0] for plan in (make_plan(tree=None), PLAN))
    assert whole.keys() == part.keys()
    assert part["test_file"] == "s00.sql"
    assert loads(dumps(PLAN)) == PLAN
    assert dumps(make_plan()) == dumps(PLAN)


@pytest.mark.parametrize(
    "profile",
    [with_bvt(exclusive=("big",)), with_bvt(order_groups=(("small", "big"),)), with_bvt(together=("big",))],
    ids=["exclusive", "ordered", "together"],
)
def test_what_may_not_be_separated_stays_whole(profile: Profile) -> None:
    assert {task.id for task in make_plan(profile).tasks} == {"bvt:big", "bvt:small"}


@pytest.mark.parametrize("name", ["a\n.sql", "-a.sql", "a\udcff.sql", "a\u202e.sql", "a/../b.sql"])
def test_a_category_with_a_script_that_no_part_can_name_stays_whole(name: str) -> None:
    tree = FakeTree(*(f"cases/big/{script}" for script in [*BIG, name]), "cases/small/a.sql")
    whole = make_plan(tree=tree).tasks
    assert {task.id for task in whole} == {"bvt:big", "bvt:small"}
    spoken = {f"bvt:big/{name}": Spoken(0.9, "it failed"), "bvt:small/a.sql": Spoken(0.9, "it failed")}
    advice = Advice(None, "", failed=spoken)
    plan = build_plan(make_change("x.go"), PROFILE, strategies=("failures",), tree=tree, advice=advice)
    assert {task.id: task.files for task in plan.tasks} == {"bvt:big": (), "bvt:small": ("a.sql",)}
    assert {task.est_duration for task in plan.tasks if task.category == "big"} == {whole[0].est_duration}


@pytest.mark.parametrize("name", ["a\n", "-a", "a\udcff"])
def test_a_category_that_no_task_can_name_is_left_out_with_a_note(name: str) -> None:
    tree = FakeTree("cases/small/a.sql", f"cases/{name}/a.sql")
    plan = build_plan(make_change(f"cases/{name}/a.sql"), PROFILE, strategies=("rules", "safety"), tree=tree)
    assert [task.id for task in plan.tasks if task.category] == ["bvt:small"], "what is unknown widens"
    assert f"Left out, since no program can be given such a name: {name}. Rename it." in plan.notes
    assert loads(dumps(plan)).tasks


def test_scripts_of_a_directory_that_need_one_another_stay_in_one_part() -> None:
    names = [f"{'set' if number % 4 == 1 else 'other'}/s{number:02}.sql" for number in range(40)]
    tree = FakeTree(*(f"cases/big/{name}" for name in names), "cases/small/a.sql")
    parts = parts_of(make_plan(with_bvt(together=("big/set",)), tree=tree))
    holding = [task for task in parts if any(file.startswith("set/") for file in task.files)]
    assert len(parts) > 1
    assert len(holding) == 1
    assert sorted(file for task in parts for file in task.files) == sorted(names)


def test_parts_are_cut_by_measured_seconds() -> None:
    seconds = {f"cases/big/{name}": 100.0 if name == "s39.sql" else 5.0 for name in BIG}
    plan = make_plan(measured=Measured(seconds))
    parts = parts_of(plan)
    assert f"{len(parts)} of {len(parts) + 1} durations are measured." in plan.notes
    assert sum(task.est_duration for task in parts) == pytest.approx(295.0, abs=0.5)
    assert len(parts[-1].files) < len(parts[0].files)


def test_a_category_whose_name_looks_like_a_part_keeps_the_other_one_whole() -> None:
    tree = FakeTree(*(f"cases/big/{name}" for name in BIG), "cases/small/a.sql", "cases/big#2/a.sql")
    asked = ["big", "big#2"]
    plan = build_plan(make_change("x.go"), PROFILE, strategies=("rules",), asked=asked, tree=tree)
    assert [task.id for task in plan.tasks] == ["bvt:big", "bvt:big#2"]


def test_a_category_that_is_called_like_a_part_has_the_label_and_the_company_of_its_own_name() -> None:
    tree = FakeTree("cases/small#1/a.sql", "cases/small#2/a.sql", "cases/small/a.sql")
    labelled = dataclasses.replace(PROFILE, dispatch=Dispatch(labels={"bvt:small#1": "gpu"}))
    profiles = (labelled, with_bvt(exclusive=("small#1", "small")), with_bvt(order_groups=(("small#1", "small"),)))
    for profile in profiles:
        asked = ["small", "small#1", "small#2"]
        plan = build_plan(make_change("x.go"), profile, strategies=("rules",), asked=asked, tree=tree)
        assert {task.id for task in plan.tasks} == {f"bvt:{name}" for name in asked}
    torn = tuple(dataclasses.replace(shard, tasks=shard.tasks[::-1]) for shard in plan.shards)
    with pytest.raises(BadPlanError, match="bvt:small#1 before bvt:small is not"):
        check(dataclasses.replace(plan, shards=torn), profiles[-1])


def test_the_name_of_the_category_means_all_its_parts() -> None:
    whole = subset(PLAN, ["bvt:big"])
    assert [task.id for task in whole.tasks] == [task.id for task in parts_of(PLAN)]
    one = subset(PLAN, ["bvt:big#2"])
    assert [(task.id, task.files) for task in one.tasks] == [("bvt:big#2", parts_of(PLAN)[1].files)]
    assert "big#1" in [left.name for left in one.omitted]
    with pytest.raises(UnknownRunError, match="has no task 'bvt:big#99'"):
        subset(PLAN, ["bvt:big#99"])


def test_limits_of_a_category_go_to_the_parts_that_have_the_scripts() -> None:
    limits = first_scripts(PLAN, "cases", TREE, 3)
    assert limits == {"bvt:big": ("s00.sql", "s01.sql", "s02.sql"), "bvt:small": ("a.sql",)}
    part = subset(PLAN, [task.id for task in PLAN.tasks], limits)
    assert [(task.id, task.files) for task in parts_of(part)] == [("bvt:big#1", limits["bvt:big"])]
    both = subset(PLAN, ["bvt:big"], {"bvt:big": ["s00.sql", "s39.sql"]})
    assert [task.files for task in both.tasks] == [("s00.sql",), ("s39.sql",)]
    for files in (["none.sql"], []):
        with pytest.raises(UsageError, match="has no script"):
            subset(PLAN, ["bvt:big"], {"bvt:big": files})


def test_a_foreign_plan_with_a_script_twice_or_the_whole_beside_a_part_is_refused() -> None:
    parts = parts_of(PLAN)
    twice = dataclasses.replace(parts[0], files=(*parts[0].files, parts[1].files[0]))
    whole = dataclasses.replace(parts[0], id="bvt:big", files=())
    nothing = dataclasses.replace(parts[0], files=())
    for wrong, why in ((twice, "appears 2 times"), (whole, "as a whole and in parts"), (nothing, "what its id says")):
        tasks = tuple(wrong if task is parts[0] else task for task in PLAN.tasks)
        with pytest.raises(BadPlanError, match=why):
            check(dataclasses.replace(PLAN, tasks=tasks))


def test_a_failure_of_a_part_is_covered_by_plans_that_run_its_scripts() -> None:
    part = parts_of(PLAN)[0]
    assert covers(PLAN, Failure(part, part.files[0]))
    assert covers(PLAN, Failure(part)), "nobody knows which script, and all of them run"
    assert covers(make_plan(tree=None), Failure(part))
    assert not covers(subset(PLAN, ["bvt:big#2"]), Failure(part))


@given(st.lists(st.floats(0.0, 50.0), min_size=1, max_size=60), st.integers(1, 12))
def test_cutting_keeps_every_script_once_and_in_order(seconds: list[float], count: int) -> None:
    groups = [Group((str(number),), size) for number, size in enumerate(seconds)]
    made = cut(groups, count)
    assert len(made) <= count
    assert [file for group in made for file in group.files] == [str(number) for number in range(len(seconds))]
    assert max(group.seconds for group in made) <= sum(seconds) / count + max(seconds) + 1e-6


@pytest.mark.parametrize(
    ("task", "whole"),
    [
        ("bvt:a#1", "bvt:a"),
        ("bvt:a#0", "bvt:a#0"),
        ("bvt:a#b#12", "bvt:a#b"),
        ("ut:a#1", "ut:a#1"),
        ("bvt:#1", "bvt:#1"),
    ],
)
def test_the_whole_of_a_part_is_read_from_its_id(task: str, whole: str) -> None:
    assert whole_of(task) == whole


def test_the_plan_as_json_says_which_scripts_each_part_runs() -> None:
    document = json.loads(dumps(PLAN))
    assert sorted(file for task in document["tasks"] if task["category"] == "big" for file in task["files"]) == BIG
