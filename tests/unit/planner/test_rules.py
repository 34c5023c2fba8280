from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.plan import Priority, TestPlan
from orchestrator.planner.pipeline import build_plan
from tests.unit.planner.factories import PROFILE, FakeTree, make_change, make_file, make_plan


def chosen(plan: TestPlan) -> dict[str, int]:
    return {task.id: int(task.priority) for task in plan.tasks}


def rules_only(*files: str) -> dict[str, int]:
    return chosen(make_plan(*files, strategies=("rules",)))


SCA = {"sca:vet": 0, "sca:lint": 0}


def test_a_rule_names_packages_and_categories_at_its_priority_and_a_go_file_adds_every_analyser() -> None:
    assert rules_only("pkg/plan/build.go") == {"ut:pkg/plan/...": 1, "bvt:join": 1, "bvt:cte": 1, **SCA}


def test_a_task_has_the_best_priority_of_the_rules_that_chose_it() -> None:
    tasks = rules_only("pkg/plan/deep/a.txt")
    assert tasks == {"ut:pkg/plan/...": 1, "ut:pkg/plan/deep/...": 0, "bvt:join": 0, "bvt:cte": 1}


def test_an_explicit_package_stays_a_task_of_its_own_when_another_pattern_covers_it() -> None:
    tasks = rules_only("pkg/plan/a.go", "pkg/text/b.go")
    assert {"ut:pkg/plan/...", "ut:pkg/plan/deep/...", "ut:pkg/text/..."} <= tasks.keys()


def test_a_prefix_is_a_directory_not_the_start_of_a_name() -> None:
    assert rules_only("pkg/planner/a.txt") == {}


def test_a_case_file_calls_for_its_category_at_high() -> None:
    assert rules_only("cases/text/deep/a.sql") == {"bvt:text": 1}


@pytest.mark.parametrize("path", ["cases/README.txt", "cases/text", "cases/", "other/cases/text/a.sql"])
def test_only_a_file_inside_a_directory_of_the_case_tree_names_a_category(path: str) -> None:
    plan = make_plan(path, strategies=("rules",))
    assert plan.tasks == ()
    assert plan.unmatched == (path,)


def test_a_new_category_is_known_when_the_change_adds_it_and_not_when_it_deletes_it() -> None:
    added = make_plan(make_file("cases/new/a.sql", "added"), strategies=("rules",)).task("bvt:new")
    deleted = make_plan(make_file("cases/new/a.sql", "deleted"), strategies=("rules",)).task("bvt:new")
    assert added is not None
    assert not added.skip
    assert deleted is not None
    assert deleted.skip


def test_deleted_go_files_count_like_any_other() -> None:
    plan = make_plan(make_file("pkg/plan/a.go", "deleted"), strategies=("rules",))
    assert chosen(plan) == rules_only("pkg/plan/a.go")


def test_a_renamed_file_counts_by_its_new_path() -> None:
    plan = make_plan(make_file("pkg/text/a.go", "renamed", old="pkg/plan/a.go"), strategies=("rules",))
    assert "bvt:text" in chosen(plan)
    assert "bvt:cte" not in chosen(plan)


def test_analysers_look_at_the_packages_that_are_left() -> None:
    plan = make_plan("pkg/plan/b.go", "pkg/plan/a_test.go", "main.go", make_file("pkg/old/a.go", "deleted"))
    task = make_plan("pkg/plan/b.go", "main.go", make_file("pkg/old/a.go", "deleted"), strategies=("rules",))
    vet = task.task("sca:vet")
    assert vet is not None
    assert vet.files == (".", "pkg/plan")
    widened = plan.task("sca:vet")
    assert widened is not None
    assert widened.files == ()


def test_analysers_look_at_everything_when_no_package_is_left_and_say_so() -> None:
    task = make_plan(make_file("pkg/plan/a.go", "deleted"), strategies=("rules",)).task("sca:vet")
    assert task is not None
    assert task.files == ()
    assert "everything" in str(task.note)


def test_files_in_testdata_count_for_the_package_around_them() -> None:
    task = make_plan("pkg/plan/testdata/src/a.go", strategies=("rules",)).task("sca:vet")
    assert task is not None
    assert task.files == ("pkg/plan",)


def test_a_category_that_the_profile_does_not_know_stays_and_is_skipped_with_a_note() -> None:
    task = make_plan("pkg/text/a.go", strategies=("rules",)).task("bvt:gone")
    assert task is not None
    assert task.skip
    assert task.est_duration == 0
    assert task.note == "profile toy has no category gone: nothing to run"
    assert task.priority is Priority.MEDIUM


def test_a_plan_notes_what_it_skips() -> None:
    plan = make_plan("pkg/text/a.go", strategies=("rules",))
    assert plan.notes == ("Skipped bvt:gone: profile toy has no category gone: nothing to run.",)


def test_the_tree_decides_which_categories_and_packages_there_are_when_it_is_at_hand() -> None:
    tree = FakeTree("cases/gone/a.sql", "pkg/text/a.go")
    plan = build_plan(make_change("pkg/text/a.go"), PROFILE, strategies=("rules",), tree=tree)
    skipped = {task.id: task.note for task in plan.tasks if task.skip}
    assert skipped == {
        "bvt:text": "the tree has no category text: nothing to run",
        "ut:pkg/plan/deep/...": "the tree has no directory pkg/plan/deep: nothing to run",
    }


def test_rules_alone_list_what_they_do_not_know_and_neither_widen_nor_read_documentation() -> None:
    plan = make_plan("README.md", "other/a.go", strategies=("rules",))
    assert plan.unmatched == ("README.md", "other/a.go")
    assert chosen(plan) == SCA
    assert plan.notes == ()


def test_binary_and_mode_only_files_count_like_any_other() -> None:
    assert rules_only("pkg/text/image.png").keys() == {
        "ut:pkg/text/...",
        "ut:pkg/plan/deep/...",
        "bvt:text",
        "bvt:gone",
    }


@pytest.mark.parametrize("category", ["..", "-rf", "a\nb", "a\x1b[2J", "\udcff"])
def test_a_directory_with_a_treacherous_name_is_no_category(category: str) -> None:
    path = f"cases/{category}/a.sql"
    plan = make_plan(path, strategies=("rules",))
    assert plan.tasks == ()
    assert plan.unmatched == (path,)


def test_the_reason_names_the_rule_and_the_files() -> None:
    task = make_plan("pkg/plan/a.go", "pkg/plan/b.go", strategies=("rules",)).task("bvt:cte")
    assert task is not None
    assert task.reason == "rule pkg/plan/: pkg/plan/a.go and 1 more"


def test_an_analyser_looks_at_everything_when_more_than_go_files_call_for_it() -> None:
    profile = replace(PROFILE, sca=replace(PROFILE.sca, files=("*.go", "go.mod")))
    for files, looks_at in ((("pkg/plan/a.go",), ("pkg/plan",)), (("pkg/plan/a.go", "go.mod"), ()), (("go.mod",), ())):
        vet = build_plan(make_change(*files), profile, strategies=("rules",)).task("sca:vet")
        assert vet is not None
        assert vet.files == looks_at
        assert vet.note is None
