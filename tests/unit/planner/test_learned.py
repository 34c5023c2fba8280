from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.diff.source import from_repository
from orchestrator.domain.change import DiffSummary, FileChange
from orchestrator.domain.errors import UnknownRunError, UsageError
from orchestrator.domain.plan import Priority, Suite, TestPlan
from orchestrator.domain.profile import Bvt, Rule
from orchestrator.history.because import Explainer
from orchestrator.history.facts import Facts
from orchestrator.history.model import Model, save_model
from orchestrator.planner.budget import parse_budget
from orchestrator.planner.decode import loads
from orchestrator.planner.encode import dumps
from orchestrator.planner.failures import Spoken
from orchestrator.planner.learned import Advice, advise, advise_by
from orchestrator.planner.pipeline import build_plan
from orchestrator.planner.render.explain import explain, explain_text
from orchestrator.planner.render.markdown import plan_markdown
from orchestrator.planner.strategies import WITH_MODEL
from orchestrator.planner.tree import GitTree
from tests.unit.history.product import DAY, PROFILE
from tests.unit.planner.factories import make_change, make_file


def planned(product: Path, model: Model, budget: str | None = None, **changes: object) -> TestPlan:
    """The plan of the last commit, which changes feature backup."""
    change = from_repository(product, "main~1", "main")
    advice = advise_by(change, replace(PROFILE, **changes), model, str(product))  # type: ignore[arg-type]
    advice = advice._replace(budget=parse_budget(budget) if budget else None)
    tree = GitTree(product, "main")
    return build_plan(change, PROFILE, strategies=WITH_MODEL, tree=tree, advice=advice)


def test_without_a_budget_the_model_adds_to_the_rules(product: Path, model: Model) -> None:
    plan = planned(product, model)
    assert {"bvt:join", "bvt:backup", "ut:pkg/...", "ut:pkg/backup"} <= {task.id for task in plan.tasks}
    backup = plan.task("bvt:backup")
    assert backup is not None
    history = [reason for reason in backup.reasons if reason.strategy == "history"]
    assert "changed" in history[0].detail
    assert "touched cases of it" in history[0].detail


def test_a_budget_buys_the_likeliest_cases_and_says_what_more_would_buy(product: Path, model: Model) -> None:
    plan = planned(product, model, "10%")
    cases = {f"{task.category}/{file}" for task in plan.tasks for file in task.files if task.type is Suite.BVT}
    assert {"backup/backup_0.sql", "backup/backup_1.sql"} <= cases
    omitted = [test for test in plan.omitted if test.type is Suite.BVT]
    assert len(cases) + len(omitted) == 32
    assert all(test.reasons and test.budget is not None and test.budget > 0.1 for test in omitted)
    assert sum(test.budget == 1.0 for test in omitted) == 1
    assert plan.notes[0].startswith("Budget 10%: 3 of 32 SQL cases")
    every = planned(product, model, "100%")
    assert not [test for test in every.omitted if test.type is Suite.BVT]
    assert "because history" in explain_text(every, "bvt:backup/backup_0.sql")


def test_every_test_of_a_plan_with_a_budget_is_explained(product: Path, model: Model) -> None:
    plan = planned(product, model, "10%")
    assert loads(dumps(plan)) == plan
    text = explain_text(plan, "bvt:backup")
    assert "backup_0.sql" in text
    assert "commit " in text
    alone = explain_text(plan, "bvt:backup/backup_0.sql")
    assert "because history" in alone
    assert "backup_1.sql" in text
    assert "backup_1.sql" not in alone
    left = next(test for test in plan.omitted if test.type is Suite.BVT)
    why_not = explain_text(plan, f"bvt:{left.name}")
    assert "a budget of" in why_not
    assert explain(plan, f"bvt:{left.name}")["omitted"][0]["budget"] == left.budget
    assert "bvt:backup" in plan_markdown(plan)


def test_a_category_is_explained_with_its_cases_that_are_left_out(product: Path, model: Model) -> None:
    plan = planned(product, model, "10%")
    left = [f"bvt:{test.name}" for test in plan.omitted if test.name.startswith("vector/")]
    assert len(left) == 4
    assert "bvt:vector" not in {task.id for task in plan.tasks}
    assert [test["id"] for test in explain(plan, "bvt:vector")["omitted"]] == left
    assert all(f"{test}: not chosen" in explain_text(plan, "bvt:vector") for test in left)
    cut = next(task for task in plan.tasks if task.category == "backup")
    assert "not chosen" in explain_text(plan, cut.id)
    assert "not chosen" not in explain_text(plan, f"{cut.id}/{cut.files[0]}")
    with pytest.raises(UnknownRunError):
        explain(plan, "bvt:vect")


def test_a_reason_names_no_word_that_many_cases_say(product: Path, model: Model) -> None:
    outlook = advise_by(from_repository(product, "main~1", "main"), PROFILE, deepcopy(model)).outlook
    assert outlook is not None
    for number in sorted(outlook.book.stems)[:10]:
        outlook.book.scripts.put(number, {"backup": 1, "common": 1})
    outlook.question = replace(outlook.question, facts=Facts(("pkg/a.go",), words={"backup": 1, "common": 9}))
    outlook.book.scripts.put(number, {"backup": 1, "common": 1, "seldom": 1})
    outlook.question.facts.words["seldom"] = 1
    told = {one.strategy: one.detail for one in Explainer(outlook).case(outlook.book.stems[number])}
    assert told["lexical"] == "as the change does, its script says seldom"


def test_cases_the_change_edits_and_those_always_run_are_kept_whatever_they_cost(product: Path, model: Model) -> None:
    profile = replace(PROFILE, bvt=replace(PROFILE.bvt, always=("vector/vector_3",)))
    change = make_change("pkg/join/join.go", make_file("test/cases/cursor/cursor_2.sql"))
    advice = advise_by(change, profile, model)._replace(budget=parse_budget("0%"))
    plan = build_plan(change, profile, strategies=WITH_MODEL, advice=advice)
    files = {(task.category, task.files) for task in plan.tasks if task.type is Suite.BVT}
    assert files == {("cursor", ("cursor_2.sql",)), ("vector", ("vector_3.sql",))}


def test_what_always_runs_does_so_where_no_model_keeps_the_budget(product: Path, model: Model) -> None:
    always = ("vector/vector_3", "cursor", "gone", "vector/gone")
    profile = replace(PROFILE, bvt=replace(PROFILE.bvt, always=always))
    change, tree = from_repository(product, "main~1", "main"), GitTree(product, "main")
    for budget, kept in ((parse_budget("10%"), True), (None, False)):
        plan = build_plan(change, profile, tree=tree, advice=Advice(None, budget=budget))
        files = {task.category: task.files for task in plan.tasks if task.type is Suite.BVT}
        assert (files.get("vector"), files.get("cursor")) == ((("vector_3.sql",), ()) if kept else (None, None))
        said = "Not there, though the profile lists it under bvt.always: gone and 1 more." in plan.notes
        assert said is kept
    learned = advise_by(change, profile, deepcopy(model))._replace(budget=parse_budget("10%"))
    notes = build_plan(change, profile, strategies=WITH_MODEL, tree=tree, advice=learned).notes
    assert any("bvt.always: gone and 1 more" in note for note in notes)


def test_a_file_that_the_model_cannot_be_asked_about_is_one_that_the_rules_are(model: Model) -> None:
    change = make_change("pkg/join/\udcff.go")
    advice = advise_by(change, PROFILE, deepcopy(model))._replace(budget=parse_budget("10%"))
    plan = build_plan(change, PROFILE, strategies=WITH_MODEL, advice=advice)
    assert [task.id for task in plan.tasks if task.type is Suite.UNIT_TEST] == ["ut:pkg/..."]


def test_cases_that_came_or_went_since_the_model_was_made_are_those_of_the_clone(
    product: Path, model: Model, tmp_path: Path
) -> None:
    edits = (
        "M 100644 inline pkg/join/join.go\ndata 2\nx\n"
        "M 100644 inline test/cases/join/lateral.sql\ndata 18\nselect 1;select 2;\n"
        "R test/cases/cursor/cursor_2.sql test/cases/cursor/moved.sql\n"
        "D test/cases/vector/vector_3.sql\n"
    )
    head = f"commit refs/heads/later\ncommitter T <t@example.com> {model.time + DAY} +0000\ndata 1\nx\n"
    feed = f"{head}from refs/heads/main^0\n{edits}"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=product, input=feed.encode(), check=True)
    save_model(model, tmp_path / "model")
    advice = advise(from_repository(product, "main", "later"), PROFILE, tmp_path / "model", str(product))
    assert advice.outlook is not None
    cases = advice.outlook.statements
    assert cases["join/lateral"] == 2
    assert "cursor/moved" in cases
    assert cases.keys().isdisjoint({"cursor/cursor_2", "vector/vector_3"})
    plan = build_plan(
        from_repository(product, "main", "later"),
        PROFILE,
        strategies=WITH_MODEL,
        tree=GitTree(product, "later"),
        advice=advice._replace(budget=parse_budget("0%")),
    )
    files = {f"{task.category}/{file}" for task in plan.tasks for file in task.files if task.type is Suite.BVT}
    assert files == {"join/lateral.sql", "cursor/moved.sql"}


@pytest.mark.parametrize("budget", ["0%", "100%"])
def test_scripts_that_a_bare_diff_takes_away_are_not_run(model: Model, budget: str) -> None:
    change = make_change(
        "pkg/join/join.go",
        make_file("test/cases/cursor/cursor_1.sql", "deleted"),
        make_file("test/cases/cursor/moved.sql", "renamed", "test/cases/cursor/cursor_2.sql"),
        make_file("test/cases/vector/vector_3.test", "renamed", "test/cases/vector/vector_3.sql"),
        make_file("test/cases/vector/vector_1.result", "deleted"),
    )
    profile = replace(PROFILE, bvt=replace(PROFILE.bvt, always=("cursor/cursor_1",)))
    advice = advise_by(change, profile, deepcopy(model))._replace(budget=parse_budget(budget))
    plan = build_plan(change, profile, strategies=WITH_MODEL, advice=advice)
    files = {f"{task.category}/{file}" for task in plan.tasks for file in task.files if task.type is Suite.BVT}
    told = files | {test.name for test in plan.omitted if test.type is Suite.BVT}
    assert told.isdisjoint({"cursor/cursor_1.sql", "cursor/cursor_2.sql", "vector/vector_3.sql"})
    if budget == "0%":
        assert files == {"cursor/moved.sql", "vector/vector_3.test", "vector/vector_1.sql"}
    else:
        vector = plan.task("bvt:vector")
        assert vector is not None
        assert vector.files == ()
        assert "32 SQL cases" not in plan.notes[0]


def test_a_script_that_moves_costs_what_it_did(model: Model) -> None:
    def planned(*files: FileChange) -> TestPlan:
        change = make_change("pkg/join/join.go", *files)
        advice = advise_by(change, PROFILE, deepcopy(model))._replace(budget=parse_budget("100%"))
        return build_plan(change, PROFILE, strategies=WITH_MODEL, advice=advice)

    scripts = [model.book.file_of(stem) for stem in model.book.stems.values() if stem.startswith("vector/")]
    before = planned().task("bvt:vector")
    moves = (make_file(f"test/cases/tensor/{at}.sql", "renamed", f"test/cases/{old}") for at, old in enumerate(scripts))
    after = planned(*moves)
    tensor = after.task("bvt:tensor")
    assert before is not None
    assert tensor is not None
    assert tensor.est_duration == before.est_duration > 0
    assert after.task("bvt:vector") is None


def test_a_script_that_a_series_of_patches_moves_and_then_takes_away_is_not_run(model: Model) -> None:
    change = make_change(
        "pkg/join/join.go", make_file("test/cases/cursor/x.sql", "deleted", "test/cases/cursor/cursor_2.sql")
    )
    advice = advise_by(change, PROFILE, deepcopy(model))._replace(budget=parse_budget("100%"))
    plan = build_plan(change, PROFILE, strategies=WITH_MODEL, advice=advice)
    cursor = plan.task("bvt:cursor")
    assert cursor is not None
    assert "cursor_2.sql" not in {*cursor.files, *(reason.test for reason in cursor.reasons)}


def test_a_category_that_only_the_model_knows_can_be_asked_for(model: Model) -> None:
    change = make_change("pkg/join/join.go")
    profile = replace(PROFILE, bvt=replace(PROFILE.bvt, categories={}))
    plan = build_plan(change, profile, asked=["vector"], advice=advise_by(change, profile, deepcopy(model)))
    assert plan.task("bvt:vector") is not None
    with pytest.raises(UsageError, match="no category is called 'vectro'"):
        build_plan(change, profile, asked=["vectro"], advice=advise_by(change, profile, deepcopy(model)))


def test_the_budget_that_would_take_a_case_does(model: Model) -> None:
    change = make_change("pkg/join/join.go", make_file("test/cases/cursor/new_one.sql"))

    def left(budget: str) -> dict[str, float | None]:
        advice = advise_by(change, PROFILE, deepcopy(model))._replace(budget=parse_budget(budget))
        plan = build_plan(change, PROFILE, strategies=WITH_MODEL, advice=advice)
        if budget == "10%":
            told = explain_text(plan, f"bvt:{next(test.name for test in plan.omitted if test.type is Suite.BVT)}")
            said.append(told.partition("a budget of ")[2].partition(" would take it")[0])
        return {test.name: test.budget for test in plan.omitted if test.type is Suite.BVT}

    said: list[str] = []
    first = left("10%")
    assert len(first) > 20
    assert [name for name, budget in first.items() if name in left(f"{budget:.2%}")] == []
    assert next(iter(first)) not in left(said[0])


@pytest.mark.parametrize(
    "strategies",
    [("history",), ("lexical", "surface", "imports", "changed"), ("failures",), ("history", "failures")],
)
def test_strategies_that_have_nothing_to_draw_on_leave_the_rules_to_decide(
    strategies: tuple[str, ...],
) -> None:
    change = make_change("pkg/join/join.go", "odd.c")
    plan = build_plan(change, PROFILE, strategies=strategies)
    by_rules = build_plan(change, PROFILE)
    assert plan.tasks == by_rules.tasks
    assert plan.notes[0] == f"There is nothing that {', '.join(strategies)} could draw on: rules decide."
    with pytest.raises(UsageError, match="no strategy is named"):
        build_plan(change, PROFILE, strategies=())


@pytest.mark.parametrize(
    ("path", "failed", "expected"),
    [
        ("pkg/strange/lib.c", {}, {"ut:pkg/..."}),
        ("pkg/strange/README.md", {}, set()),
        ("pkg/join/lib.c", {}, set()),
        ("test/cases/join/strange.sql", {}, set()),
        ("pkg/join/lib.c", {"ut:pkg/join/...": Spoken(0.9, "it failed")}, {"ut:pkg/join/..."}),
    ],
)
def test_a_budget_keeps_unit_tests_of_which_the_model_can_say_nothing(
    model: Model, path: str, failed: dict[str, Spoken], expected: set[str]
) -> None:
    change = make_change(path)
    advice = advise_by(change, PROFILE, deepcopy(model))._replace(budget=parse_budget("10%"), failed=failed)
    plan = build_plan(change, PROFILE, strategies=(*WITH_MODEL, "failures"), advice=advice)
    assert {task.id for task in plan.tasks if task.id.endswith("...")} == expected
    assert len(plan.notes) == 1


def note(model: Model, change: DiffSummary, path: Path) -> str:
    """What a reader is told when the model is not asked."""
    save_model(model, path)
    advice = advise(change, PROFILE, path)._replace(budget=parse_budget("10%"))
    assert advice.outlook is None
    plan = build_plan(change, PROFILE, advice=advice)
    assert "bvt:join" in {task.id for task in plan.tasks}
    assert "The budget of 10% is not kept" in plan.notes[1]
    return plan.notes[0]


def test_a_model_that_may_not_be_asked_leaves_the_rules_and_says_why(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model"
    change = make_change("pkg/join/join.go", head_time="2030-01-01T00:00:00Z")
    assert "days before this change" in note(model, change, path)
    assert "profile 'other'" in note(replace(model, profile="other"), make_change("pkg/a.go"), path)
    assert "too few commits" in note(replace(model, ranker=None), make_change("pkg/a.go"), path)
    many = make_change(*(f"pkg/join/f{number}.go" for number in range(500)))
    assert "500 files change at once" in note(model, many, path)
    path.write_bytes(b"broken")
    assert "damaged" in advise(change, PROFILE, path).note


def test_what_neither_a_rule_nor_history_knows_widens_the_plan(product: Path, model: Model) -> None:
    change = make_change("strange/thing.xyz")
    advice = advise_by(change, PROFILE, model)._replace(budget=parse_budget("10%"))
    plan = build_plan(change, PROFILE, strategies=WITH_MODEL, advice=advice)
    assert "ut:..." in {task.id for task in plan.tasks}
    assert len([task for task in plan.tasks if task.type is Suite.BVT]) == len(PROFILE.bvt.categories)


def test_another_process_with_another_hash_seed_makes_the_same_plan(
    product: Path, model: Model, tmp_path: Path
) -> None:
    save_model(model, tmp_path / "model")
    profile = tmp_path / "product.yaml"
    profile.write_text(json.dumps({"name": "product", "bvt": {"cases": "test/cases"}}))
    words = ["plan", "--repo", str(product), "--base", "main~1", "--head", "main", "--profile", str(profile)]
    words += ["--model", str(tmp_path / "model"), "--budget", "20%", "--format", "json"]
    plans = set()
    for seed in ("1", "2", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *words], capture_output=True, env=environment, check=True
        )
        plans.add(done.stdout)
    assert len(plans) == 1
    assert b"backup_0.sql" in plans.pop()


def test_a_unit_test_that_changes_runs_its_package_and_widens_nothing(model: Model) -> None:
    model = deepcopy(model)
    model.book.test_files["issues"] = 1
    change = make_change("pkg/join/join.go", "issues/first_test.go")
    advice = advise_by(change, PROFILE, model)._replace(budget=parse_budget("10%"))
    plan = build_plan(change, PROFILE, strategies=WITH_MODEL, advice=advice)
    assert plan.notes[0].startswith("Budget 10%")
    assert "ut:issues" in {task.id for task in plan.tasks}


@pytest.mark.parametrize(
    ("text", "statements"), [("25%", 250.0), ("30min", 18000.0), ("90s", 900.0), ("1.5h", 54000.0)]
)
def test_a_budget_is_a_share_or_a_time(text: str, statements: float) -> None:
    assert parse_budget(text).statements(1000, 0.1) == pytest.approx(statements)


@pytest.mark.parametrize("text", ["", "10", "ten%", "-5%", "101%", "5 days", "nan%"])
def test_anything_else_is_no_budget(text: str) -> None:
    with pytest.raises(UsageError, match="budget"):
        parse_budget(text)


def under_a_budget_of_nothing(model: Model, change: DiffSummary, bvt: Bvt, *asked: str) -> TestPlan:
    profile = replace(PROFILE, bvt=bvt)
    advice = advise_by(change, profile, model)._replace(budget=parse_budget("0%"))
    return build_plan(change, profile, strategies=WITH_MODEL, asked=asked, advice=advice)


def test_a_script_that_only_the_diff_knows_runs_whatever_the_budget(model: Model) -> None:
    """Of a deleted one, and of a result alone, there is nothing to run."""
    kinds = {"join/brand_new.test": "added", "join/gone_before.sql": "deleted", "join/other.result": "added"}
    files = [make_file(f"test/cases/{name}", kind) for name, kind in kinds.items()]
    plan = under_a_budget_of_nothing(model, make_change("pkg/join/join.go", *files), PROFILE.bvt)
    join = plan.task("bvt:join")
    assert join is not None
    assert join.files == ("brand_new.test",)
    assert join.priority == Priority.HIGH
    assert [(reason.test, reason.detail) for reason in join.reasons] == [("brand_new.test", "the change edits it")]
    assert "1 of 33 SQL cases" in plan.notes[0]


def test_categories_that_the_model_does_not_know_are_asked_for_always_run_or_told(model: Model) -> None:
    """Two the tree has since the model was made, one that runs always, one that nobody wants."""
    more = dict.fromkeys([*PROFILE.bvt.categories, "asked", "always", "idle"], 40)
    bvt = replace(PROFILE.bvt, categories=more, always=("always",))
    plan = under_a_budget_of_nothing(model, make_change("pkg/join/join.go"), bvt, "asked")
    assert {task.category for task in plan.tasks if task.type is Suite.BVT} == {"asked", "always"}
    left = {test.name: test.reason for test in plan.omitted if test.type is Suite.BVT and "/" not in test.name}
    assert left == {"idle": "no evidence that the change reaches it"}


@pytest.mark.parametrize("budget", ["0%", "100%"])
def test_a_category_that_the_model_does_not_know_runs_when_a_rule_or_a_failure_calls_for_it(
    model: Model, budget: str
) -> None:
    names = ("ruled", "failed", "idle")
    rules = (*PROFILE.rules, Rule(prefix="pkg/join/", categories=("ruled",), priority="critical"))
    bvt = replace(PROFILE.bvt, categories=PROFILE.bvt.categories | dict.fromkeys(names, 40))
    change, profile = make_change("pkg/join/join.go"), replace(PROFILE, bvt=bvt, rules=rules)
    failed = {"bvt:failed": Spoken(0.5, "it failed")}
    advice = advise_by(change, profile, model)._replace(budget=parse_budget(budget), failed=failed)
    plan = build_plan(change, profile, strategies=(*WITH_MODEL, "failures"), advice=advice)
    tasks = {task.category: task.reasons[0].strategy for task in plan.tasks if task.category in names}
    assert tasks == {"ruled": "rules", "failed": "failures"}
    assert {test.name for test in plan.omitted if test.name in names} == {"idle"}


def test_a_failure_of_a_package_is_none_of_a_category_that_is_called_like_it(model: Model) -> None:
    advice = advise_by(make_change("pkg/join/join.go"), PROFILE, model)
    assert advice.outlook is not None
    packages = advice.outlook.packages | {"join": 0.1}
    outlook = replace(advice.outlook, packages=packages).lifted({"ut:join": (0.5, "it failed")})
    assert outlook.packages["join"] == pytest.approx(0.55)
    assert "failures" not in {part.strategy for part in Explainer(outlook).category("join")}


def test_a_model_that_makes_no_sense_once_it_is_asked_is_no_error(model: Model, tmp_path: Path) -> None:
    model = deepcopy(model)
    model.book.test_files["pkg/join"] = "many"  # type: ignore[assignment]
    assert "damaged: TypeError" in note(model, make_change("pkg/join/join.go"), tmp_path / "model")
