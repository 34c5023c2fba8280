from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from orchestrator.domain.errors import UsageError
from orchestrator.domain.plan import Suite
from orchestrator.planner.failures import Spoken, read_failures, speak, write_failures
from orchestrator.planner.learned import Advice
from orchestrator.planner.measured import read_durations
from orchestrator.planner.pipeline import build_plan, make_context
from orchestrator.planner.strategies.failures import Failures
from orchestrator.store.api import PastFailure
from tests.full import disk_full
from tests.unit.history.product import PROFILE
from tests.unit.planner.factories import make_change

DAY = 86_400
FAILED = PastFailure("0123456789", 100 * DAY, ("pkg/a/a.go", "pkg/b/b.go"), ("bvt:join/apply.sql",))


def weight(*files: str, after: float = 0, failure: PastFailure = FAILED) -> float:
    change = make_change(*files, head_time=f"1970-04-{11 + int(after):02}T00:00:00+00:00")
    return speak(change, [failure])["bvt:join/apply.sql"].weight if speak(change, [failure]) else 0.0


def test_the_more_files_are_shared_and_the_later_it_was_the_more_a_failure_says() -> None:
    same, half, near = weight("pkg/a/a.go"), weight("pkg/a/a.go", "pkg/c/c.go"), weight("pkg/a/other.go")
    assert same > half > near > weight("pkg/c/c.go") == 0.0
    assert weight("pkg/a/a.go", after=10) < same <= 0.9


def test_the_reason_names_run_day_and_file() -> None:
    said = speak(make_change("pkg/a/a.go"), [FAILED])["bvt:join/apply.sql"]
    assert said.detail == "run 01234567 of 1970-04-11 changed pkg/a/a.go too, and this failed"


def test_the_order_of_the_failures_changes_nothing() -> None:
    others = [dataclasses.replace(FAILED, run=f"r{number}", ended=number * DAY) for number in range(90, 100)]
    change = make_change("pkg/a/a.go")
    assert speak(change, others) == speak(change, others[::-1])


def test_failures_are_written_and_read_again(tmp_path: Path) -> None:
    write_failures(tmp_path / "f.json", {"product": [FAILED]})
    assert read_failures(tmp_path / "f.json", "product") == (FAILED,)
    assert read_failures(tmp_path / "f.json", "other") == ()
    with pytest.raises(UsageError, match="cannot read"):
        read_failures(tmp_path / "none", "product")


def test_names_that_are_no_scripts_are_no_evidence() -> None:
    said = Spoken(0.5, "it failed")
    names = ("join/a.sql", "join/../x.sql", "join/-x.sql", "join/a.sh", "join/a\n.sql", "gone/a.sql", "join")
    change = make_change("pkg/a/a.go")
    context = dataclasses.replace(
        make_context(change, PROFILE), failed={"ut:pkg/a": said, **{f"bvt:{name}": said for name in names}}
    )
    found = [(one.suite, one.name, one.files) for one in Failures().propose(change, context)]
    assert found == [(Suite.BVT, "join", ()), (Suite.BVT, "join", ("a.sql",)), (Suite.UNIT_TEST, "pkg/a", ())]


@pytest.mark.parametrize("name", ["", "../x", "-exec=sh", "/etc", "a\n"])
def test_a_package_that_no_plan_may_name_is_no_evidence(name: str) -> None:
    change = make_change("pkg/a/a.go")
    advice = Advice(None, failed={f"ut:{name}": Spoken(0.5, "it failed")})
    plan = build_plan(change, PROFILE, strategies=("rules", "failures"), advice=advice)
    assert f"ut:{name}" not in {task.id for task in plan.tasks}


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 1, "profiles": {"p": [{"run": "r", "ended": 9e11, "files": [], "tests": []}]}}',
        '{"version": 1, "profiles": {"p": [{"run": "r", "ended": "nan", "files": [], "tests": []}]}}',
        "[" * 200_000,
    ],
)
def test_a_file_that_makes_no_sense_is_no_file_of_failures(tmp_path: Path, text: str) -> None:
    (tmp_path / "f.json").write_text(text)
    with pytest.raises(UsageError, match="is no file of past failures"):
        read_failures(tmp_path / "f.json", "p")


@pytest.mark.parametrize("text", ['{"version": 1, "profiles": {"p": {"a": 1%s}}}' % ("0" * 400), "[" * 200_000])
def test_a_file_that_makes_no_sense_is_no_file_of_seconds(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(UsageError, match="is no file of measured seconds"):
        read_durations(tmp_path / "d.json", "p")


def test_a_disk_that_runs_full_leaves_nothing_behind(tmp_path: Path) -> None:
    with disk_full(), pytest.raises(OSError, match="File too large"):
        write_failures(tmp_path / "f.json", {"product": [FAILED]})
    assert list(tmp_path.iterdir()) == []
