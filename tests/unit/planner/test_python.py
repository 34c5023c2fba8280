"""Python tests by who imports, starts or reads what changed."""

from __future__ import annotations

import dataclasses
import subprocess
import tracemalloc
from collections.abc import ItemsView, Iterator
from pathlib import Path

import pytest

from orchestrator.domain.change import ChangeKind
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.profile import Analyser, Dispatch, Profile, Rule, Sca, UnitTests
from orchestrator.planner.budget import parse_budget
from orchestrator.planner.codec import dumps, loads
from orchestrator.planner.evidence import Context
from orchestrator.planner.failures import Spoken
from orchestrator.planner.learned import Advice
from orchestrator.planner.measured import Measured
from orchestrator.planner.pipeline import build_plan
from orchestrator.planner.python.graph import build_graph
from orchestrator.planner.python.outline import outline_of
from orchestrator.planner.render.explain import explain_text
from orchestrator.planner.strategies.python import Python
from orchestrator.planner.tree import GitTree
from tests.unit.planner.factories import FakeTree, make_change, make_file

SOURCES = {
    "shop/__init__.py": "",
    "shop/price.py": "RATE = 1\n",
    "shop/cart.py": "from shop import price\n",
    "shop/main.py": "import importlib\nimportlib.import_module(f'shop.{1}')\n",
    "shop/__main__.py": "from shop.main import x\n",
    "shop/types.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.price import RATE\n",
    "shop/alone.py": "",
    "tests/unit/conftest.py": "from shop.alone import x\n",
    "tests/unit/test_price.py": "from shop.price import RATE\ndef test_a(): ...\n",
    "tests/unit/test_cart.py": "import shop.cart\ndef test_a(): ...\n",
    "tests/unit/test_types.py": "from shop.types import x\ndef test_a(): ...\n",
    "tests/slow/test_program.py": "subprocess.run([sys.executable, '-m', 'shop'])\ndef test_a(): ...\n",
    "tests/slow/test_files.py": "open('conf/shop.yaml')\ndef test_a(): ...\ndef test_b(): ...\n",
}
TREE = FakeTree("shop/sql/start.lua", "conf/shop.yaml", "README.md", sources=SOURCES)
PROFILE = Profile(
    name="shop",
    rules=(Rule(prefix="shop/", unit_tests=("tests",)), Rule(prefix="pins.txt", unit_tests=("tests/slow",))),
    unit_tests=UnitTests(
        format="pytest",
        everything=("tests/...",),
        setup_seconds=1,
        package_seconds={"tests/unit/...": 3, "tests/slow/...": 60},
    ),
    sca=Sca(files=("*.py",), analysers=(Analyser(name="mypy", command=("mypy",), seconds=100),)),
    dispatch=Dispatch(shard_seconds=50),
)


def plan(*paths: str, budget: str = "", measured: Measured | None = None) -> TestPlan:
    advice = Advice(None, "", parse_budget(budget)) if budget else None
    return build_plan(make_change(*paths), PROFILE, tree=TREE, advice=advice, measured=measured)


def chosen_by(made: TestPlan) -> set[str]:
    units = (task for task in made.tasks if task.type is Suite.UNIT_TEST)
    return {f"{task.package}/{file}" if file else str(task.package) for task in units for file in task.files or [""]}


def test_who_imports_a_change_directly_or_through_others_is_chosen() -> None:
    chosen = chosen_by(plan("shop/price.py"))
    assert {"tests/unit/test_price.py", "tests/unit/test_cart.py"} <= chosen
    assert not {"tests/unit/test_types.py", "tests/slow/test_files.py"} & chosen


def test_a_program_that_a_test_starts_and_modules_chosen_at_run_time_are_followed() -> None:
    assert "tests/slow/test_program.py" in chosen_by(plan("shop/cart.py"))


def test_a_conftest_and_what_it_imports_concern_all_tests_below_it() -> None:
    unit = {"tests/unit/test_price.py", "tests/unit/test_cart.py", "tests/unit/test_types.py"}
    assert chosen_by(plan("shop/alone.py")) >= unit


def test_a_data_file_concerns_who_names_it_or_the_modules_of_its_package() -> None:
    assert chosen_by(plan("conf/shop.yaml")) == {"tests/slow/test_files.py"} | chosen_by(plan("Makefile"))
    assert "tests/unit/test_price.py" in chosen_by(plan("shop/sql/start.lua"))


def test_rules_speak_for_what_the_graph_cannot_trace_and_unknown_files_still_widen() -> None:
    assert chosen_by(plan("pins.txt")) == {"tests/slow/test_program.py", "tests/slow/test_files.py"}
    everything = {path for path in SOURCES if "/test_" in path}
    assert chosen_by(plan("Makefile")) == everything
    chain = {f"shop/m{n}.py": f"import shop.m{n - 1}\n" for n in range(1, 9)} | {"shop/m0.py": ""}
    far = FakeTree(sources={**chain, "tests/unit/test_far.py": "import shop.m8\ndef test_a(): ...\n"})
    assert chosen_by(build_plan(make_change("shop/m0.py"), PROFILE, tree=far)) == {"tests/unit/test_far.py"}
    gone = make_change(make_file("shop/gone.py", kind=ChangeKind.DELETED))
    assert chosen_by(build_plan(gone, PROFILE, tree=TREE)) == everything


@pytest.mark.parametrize("budget", ["", "1h"])
def test_tests_that_pytest_does_not_find_by_their_name_are_left_to_the_rules(budget: str) -> None:
    tree = FakeTree(sources={"shop/price.py": "", "tests/check_price.py": "import shop.price\n"})
    advice = Advice(None, "", parse_budget(budget)) if budget else None
    made = build_plan(make_change("shop/price.py"), PROFILE, tree=tree, advice=advice)
    assert "ut:tests/..." in [task.id for task in made.tasks]


def test_without_a_tree_and_with_rules_alone_the_table_decides() -> None:
    assert [task.id for task in build_plan(make_change("shop/price.py"), PROFILE).tasks][1:] == ["ut:tests/..."]
    alone = build_plan(make_change("shop/price.py"), PROFILE, tree=TREE, strategies=("rules",))
    assert [task.id for task in alone.tasks][1:] == ["ut:tests/..."]


def test_files_of_a_directory_share_a_task_unless_it_takes_longer_than_a_shard() -> None:
    ids = {task.id: task.files for task in plan("Makefile").tasks}
    assert ids["ut:tests/unit"] == ("test_cart.py", "test_price.py", "test_types.py")
    assert ids["ut:tests/slow/test_program.py"] == ids["ut:tests/slow/test_files.py"] == ()


@pytest.mark.parametrize("seconds", [50, 1e6])
@pytest.mark.parametrize("name", ["unit/test_\udcff.py", "unit/test_\u202e.py", "unit/-a_test.py", "a\nb/test_c.py"])
def test_a_test_file_that_no_task_can_name_is_left_out_with_a_note(name: str, seconds: float) -> None:
    odd = f"tests/{name}"
    tree = FakeTree(sources={**SOURCES, odd: "from shop.price import RATE\ndef test_a(): ...\n"})
    profile = dataclasses.replace(PROFILE, dispatch=Dispatch(shard_seconds=seconds))
    for changed in ("shop/price.py", "Makefile", odd):
        made = build_plan(make_change(changed), profile, tree=tree)
        assert chosen_by(made) == {path for path in chosen_by(plan(changed)) if changed != odd}
        assert f"Left out, since no program can be given such a name: {odd}. Rename it." in made.notes
        assert odd in [omitted.name for omitted in made.omitted]
        assert chosen_by(loads(dumps(made))) == chosen_by(made)


def test_a_file_costs_what_was_measured_or_its_part_of_its_directory() -> None:
    costs = {task.id: task.est_duration for task in plan("pins.txt").tasks}
    assert costs["ut:tests/slow/test_files.py"] == 40
    assert costs["ut:tests/slow/test_program.py"] == 20
    measured = plan("pins.txt", measured=Measured({"tests/slow/test_files.py": 7.0}))
    assert measured.task("ut:tests/slow/test_files.py").est_duration == 7  # type: ignore[union-attr]


def test_a_budget_takes_what_notices_most_for_its_cost_and_says_what_it_left() -> None:
    made = plan("shop/price.py", budget="5s")
    assert chosen_by(made) == {"tests/unit/test_price.py", "tests/unit/test_cart.py"}
    assert made.notes[0].startswith("Budget 5s: 2 of")
    left = {omitted.name: omitted.reason for omitted in made.omitted}
    assert left["tests/slow/test_program.py"] == left["mypy"] == "beyond the budget of 5s"
    assert left["tests/slow/test_files.py"] == "no evidence that the change reaches it"


def test_a_budget_holds_when_everything_is_called_for() -> None:
    made = plan("Makefile", "shop/price.py", budget="10%")
    assert sum(task.est_duration for task in made.tasks) <= 0.1 * 63
    assert "tests/unit/test_price.py" in chosen_by(made)


def test_a_budget_is_spread_over_what_changed() -> None:
    assert chosen_by(plan("shop/price.py", "shop/types.py", budget="3s")) == {
        "tests/unit/test_price.py",
        "tests/unit/test_types.py",
    }


def test_each_chosen_file_says_why() -> None:
    said = explain_text(plan("shop/price.py"))
    assert "test_cart.py\n    because python (" in said
    assert "uses shop/price.py through shop/cart.py" in said


def test_a_source_that_no_test_reaches_is_told() -> None:
    tree = FakeTree(sources={**SOURCES, "tools/odd.py": ""})
    assert build_plan(make_change("tools/odd.py"), PROFILE, tree=tree).notes[-1].startswith("No test imports, starts")


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("from . import b", {"a", "a.b"}),
        ("from ..x import y", {"x", "x.y"}),
        ("def f():\n    import a.late", {"a.late"}),
        ("f'{__name__}.{z}'", {"a.m.*"}),
        ("def broken(", set()),
        ("import a.b\nx = '\\d'", {"a.b"}),
        ("\ufeffimport a.b\n", {"a.b"}),
        (
            "import c.d as e, f; g\nfrom .b import (\n  x,  # why\n  y,\n)\nmatch newer ?:\n",
            {"c.d", "f", "a.b", "a.b.x", "a.b.y"},
        ),
        ("if 1:\n    from a import *  # x\nimport (\nbroken(", {"a", "a.*"}),
        ("(" * 100_000, set()),
        ("import a.b\n" + "#" * 2_000_000, set()),
    ],
)
def test_imports_of_a_file(source: str, uses: set[str]) -> None:
    assert outline_of(source, "a.m", package=False).imports - {""} == uses


@pytest.mark.parametrize(
    "source",
    [
        "import " + ".".join("a" * 20_000),
        "from " + "a.\\\n" * 20_000 + "a import b",
        f"from {'a' * 100_000} import " + ",".join(f"b{number}" for number in range(3_000)),
        "from abcdefgh import " + ",".join(f"b{number}" for number in range(15_000)),
        f"run(['python', '-m', '{'.'.join('a' * 10_000)}'])",
    ],
)
def test_names_that_nobody_gives_a_module_take_no_time_and_no_room(source: str) -> None:
    tracemalloc.start()
    try:
        found = outline_of(source, "a.m", package=False)
        assert build_graph({"a.py": source}, ["a.py"]).sources == {"a.py"}
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()
    assert len(found.imports) <= 10_000
    assert all(len(name) < 5_000 for name in found.imports | found.programs)


def test_tests_of_a_file_for_a_newer_python_are_counted() -> None:
    newer = "import a\ntype X = ??\ndef test_a(): ...\nclass T:\n    async def test_b(self): ...\n"
    assert outline_of(newer, "tests.test_a", package=False).tests == 2


def test_a_chain_of_uses_is_weaker_than_a_short_one_and_a_name_in_common_counts() -> None:
    graph = build_graph(SOURCES, SOURCES)
    found = graph.reach("shop/price.py")
    assert found["tests/unit/test_price.py"].strength > found["tests/unit/test_cart.py"].strength
    assert found["tests/unit/test_cart.py"].path == ("shop/price.py", "shop/cart.py", "tests/unit/test_cart.py")


def test_the_texts_of_a_revision_are_read_without_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import b\n")
    (tmp_path / "b.txt").write_text("x")
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True)
    (tmp_path / "a.py").write_text("changed since\n")
    assert GitTree(tmp_path, "HEAD").texts(".py") == {"a.py": "import b\n"}


def test_whoever_still_imports_what_was_moved_notices_that() -> None:
    sources = {path: text for path, text in SOURCES.items() if path != "shop/price.py"}
    sources |= {"shop/cost.py": "RATE = 1\n", "tests/unit/test_cost.py": "import shop.cost\ndef test_a(): ...\n"}
    change = make_change(make_file("shop/cost.py", "renamed", "shop/price.py"))
    for budget in ("", "1h"):
        advice = Advice(None, "", parse_budget(budget)) if budget else None
        made = build_plan(change, PROFILE, tree=FakeTree(sources=sources), advice=advice)
        assert {"tests/unit/test_cost.py", "tests/unit/test_price.py", "tests/unit/test_cart.py"} <= chosen_by(made)
        assert "uses shop/price.py" in explain_text(made, "ut:tests/unit")


SETUPTOOLS = '[tool.setuptools.packages.find]\nwhere = ["lib"]\n'


@pytest.mark.parametrize(
    ("root", "settings"),
    [
        ("src/", {}),
        ("libs/shop/src/", {}),
        ("lib/", {"pyproject.toml": SETUPTOOLS}),
        ("libs/shop/lib/", {"libs/shop/pyproject.toml": SETUPTOOLS}),
        ("lib/", {"pyproject.toml": '[tool.setuptools.package-dir]\n"" = "lib"\n'}),
        ("lib/", {"pyproject.toml": '[tool.pytest.ini_options]\npythonpath = "other ./lib"\n'}),
        ("libs/shop/", {"libs/shop/pyproject.toml": ""}),
    ],
)
def test_packages_are_found_where_a_project_keeps_them(root: str, settings: dict[str, str]) -> None:
    inside = {f"{root if path.startswith('shop/') else ''}{path}": text for path, text in SOURCES.items()}
    tree = FakeTree(f"{root}shop/sql/start.lua", sources={**inside, **settings})
    for changed in ("shop/price.py", "shop/cart.py", "shop/alone.py", "shop/sql/start.lua"):
        made = build_plan(make_change(f"{root}{changed}"), PROFILE, tree=tree)
        assert chosen_by(made) == chosen_by(plan(changed))


@pytest.mark.parametrize("src", ["", "src/"])
def test_of_two_projects_with_the_same_names_each_has_its_own(src: str) -> None:
    sources: dict[str, str] = {}
    settings: dict[str, str] = {}
    for name in ("one", "two"):
        settings[f"{name}/pyproject.toml"] = ""
        sources |= {f"{name}/{src}app/__init__.py": "", f"{name}/{src}app/db.py": ""}
        sources[f"{name}/{src}app/main.py"] = "from app import db\n"
        sources[f"{name}/tests/test_main.py"] = "import app.main\ndef test_a(): ...\n"
    graph = build_graph(sources, sources, (), settings)
    for name in ("one", "two"):
        assert set(graph.reach(f"{name}/{src}app/db.py")) == {f"{name}/tests/test_main.py"}


def test_what_is_named_from_the_root_is_not_taken_for_what_lies_deeper() -> None:
    sources = {**SOURCES, "src/shop/price.py": "", "src/__init__.py": "", "vendor/src/shop/price.py": ""}
    graph = build_graph(sources, sources)
    assert not graph.reach("src/shop/price.py")
    assert not graph.reach("vendor/src/shop/price.py")
    assert graph.reach("shop/price.py") == build_graph(SOURCES, SOURCES).reach("shop/price.py")


def test_a_helper_beside_tests_that_are_no_package_is_followed() -> None:
    sources = {
        "tests/help.py": "",
        "tests/test_top.py": "import help\ndef test_a(): ...\n",
        "tests/unit/__init__.py": "",
        "tests/unit/test_deep.py": "from unit.more import x\nimport help\ndef test_a(): ...\n",
        "tests/unit/more.py": "",
    }
    graph = build_graph(sources, sources)
    assert graph.reach("tests/help.py").keys() == {"tests/test_top.py", "tests/unit/test_deep.py"}
    assert graph.reach("tests/unit/more.py").keys() == {"tests/unit/test_deep.py"}


@pytest.mark.parametrize(
    "text",
    [
        "[tool",
        "tool = 1",
        "[tool.setuptools]\npackages = ['a']\n",
        "[tool.setuptools.packages.find]\nwhere = [1, '../..', '/', '']\n",
        "a" + ".a" * 30_000 + " = 1",
        "a = " + "[" * 30_000,
        "#" * 1_000_000,
    ],
)
def test_settings_that_say_nothing_change_nothing(text: str) -> None:
    assert build_graph(SOURCES, SOURCES, (), {"pyproject.toml": text}) == build_graph(SOURCES, SOURCES)


def test_strategies_that_need_a_model_leave_python_tests_to_what_needs_none() -> None:
    change = make_change("shop/price.py")
    made = build_plan(change, PROFILE, tree=TREE, strategies=("history",))
    assert made.tasks == build_plan(change, PROFILE, tree=TREE).tasks
    assert "tests/slow/test_files.py" not in chosen_by(made)


def test_a_computed_name_of_no_module_names_none() -> None:
    sources = SOURCES | {"setup.py": "", "tests/unit/test_dot.py": "def test_a(x): f'.{x}', f'...{x}'\n"}
    assert not build_graph(sources, sources).reach("setup.py")


@pytest.mark.parametrize("budget", ["", "4s"])
@pytest.mark.parametrize("name", ["tests/slow", "tests/slow/test_files.py", "tests/...", "tests/gone"])
def test_python_tests_that_failed_are_chosen_as_the_tasks_they_are_now(name: str, budget: str) -> None:
    failed = {f"ut:{name}": Spoken(0.5, "it failed")}
    advice = Advice(None, "", parse_budget(budget) if budget else None, failed)
    made = build_plan(make_change("README.txt"), PROFILE, tree=TREE, strategies=("python", "failures"), advice=advice)
    chosen = chosen_by(made)
    slow = {"tests/slow/test_files.py", "tests/slow/test_program.py"}
    expected = {"tests/slow": slow, "tests/gone": set(), "tests/slow/test_files.py": {"tests/slow/test_files.py"}}
    if budget:  # which buys what is short, file by file
        assert not chosen & slow
        assert all(task.files for task in made.tasks)
    elif name == "tests/...":
        assert chosen == {path for path in SOURCES if "/test_" in path}
    else:
        assert chosen == expected[name]


def test_a_tree_with_absolute_names_is_read_to_its_end() -> None:
    sources = SOURCES | {"/test_root.py": "def test_a(): ...\n"}
    plan = build_plan(make_change("Makefile"), PROFILE, tree=FakeTree("/data.txt", sources=sources))
    assert plan.tasks


class Counting(dict[str, int]):
    """Counts how often somebody goes through it."""

    passes = 0

    def __iter__(self) -> Iterator[str]:
        self.passes += 1
        return super().__iter__()

    def items(self) -> ItemsView[str, int]:  # type: ignore[override]
        self.passes += 1
        return super().items()


def test_a_plan_goes_through_all_tests_as_often_whether_they_are_few_or_many() -> None:
    def passes(count: int) -> int:
        sources = {"shop/core.py": ""}
        for number in range(count):
            sources[f"tests/d{number % 5}/test_{number}.py"] = "import shop.core\ndef test_a(): ...\n"
        graph = build_graph(sources, sources)
        counting = Counting(graph.tests)
        unit = dataclasses.replace(PROFILE.unit_tests, package_seconds={"tests/...": 9})
        profile = dataclasses.replace(PROFILE, unit_tests=unit)
        context = Context(profile, frozenset(), graph=dataclasses.replace(graph, tests=counting))
        assert len(list(Python().propose(make_change("shop/core.py"), context))) == count
        return counting.passes

    assert passes(20) == passes(80)
