"""A plan that somebody else wrote: every lie is found, and the message says what it is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.domain.errors import BadPlanError
from orchestrator.planner.codec import loads, plan_from_json, plan_to_json
from orchestrator.planner.encode import document_id
from tests.unit.planner.factories import make_plan

PLAN = plan_to_json(make_plan("pkg/plan/a.go", "cases/text/a.sql"))


def forged(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The plan after ``change``, with an id that fits."""
    document = copy.deepcopy(PLAN)
    change(document)
    document["id"] = document_id(document)
    return document


def task(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in document["tasks"] if entry["id"] == name)
    return found


def rename(kind: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    """Call a task's subject ``new`` wherever the plan names it."""
    prefix = {"category": "bvt", "package": "ut", "analyser": "sca"}[kind]

    def change(document: dict[str, Any]) -> None:
        entry = task(document, f"{prefix}:{old}")
        entry[kind], entry["id"] = new, f"{prefix}:{new}"
        for shard in document["shards"]:
            shard["tasks"] = [entry["id"] if name == f"{prefix}:{old}" else name for name in shard["tasks"]]

    return change


def test_a_forgery_without_a_lie_is_read() -> None:
    assert plan_from_json(forged(lambda d: d.update(notes=["hello"]))).notes == ("hello",)


def test_a_newer_schema_is_refused_and_both_versions_are_named() -> None:
    with pytest.raises(BadPlanError, match=r"schema version 2; this program reads up to version 1"):
        plan_from_json(forged(lambda d: d.update(schema_version=2, future=1)))


@pytest.mark.parametrize("version", [None, "1", True, 0, 1.5])
def test_what_has_no_schema_version_is_no_plan(version: object) -> None:
    with pytest.raises(BadPlanError, match="is no plan"):
        plan_from_json(forged(lambda d: d.update(schema_version=version)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(taskz=[]), "unknown key 'taskz'.*\n.*'tasks'"),
        (lambda d: d["tasks"][0].update(prioritty=1), "unknown key 'prioritty'.*\n.*'priority'"),
        (lambda d: d["diff_summary"].update(file=[]), "unknown key 'file'.*\n.*'files'"),
        (lambda d: d["diff_summary"]["files"][0].update(paths=1), "unknown key 'paths'.*\n.*'path'"),
        (lambda d: d.pop("shards"), "'shards' is missing"),
        (lambda d: d["tasks"][0].pop("type"), "'type' is missing"),
        (lambda d: d.update(tasks={}), "a list is needed"),
        (lambda d: d.update(tasks=[1]), "is no JSON object"),
        (lambda d: d.update(cost=None), "is no JSON object"),
        (lambda d: d["tasks"][0].update(type="magic"), "'magic' is not one of"),
        (lambda d: d["tasks"][0].update(priority=9), "9 is not one of"),
        (lambda d: d["tasks"][0].update(est_duration="long"), "float is needed"),
        (lambda d: d["tasks"][0].update(est_duration=-1.0), "duration"),
        (lambda d: d["tasks"][0].update(status="passed"), "changed after it was made"),
        (lambda d: d["tasks"][0].update(reason="because"), "changed after it was made"),
        (lambda d: d["tasks"].append(d["tasks"][0]), "appears 2 times"),
        (lambda d: d["shards"][0]["tasks"].append(d["shards"][0]["tasks"][0]), "appears 2 times"),
        (lambda d: d["shards"].append(d["shards"][0]), "appears 2 times"),
        (lambda d: d["shards"][0]["tasks"].pop(), "is in no shard"),
        (lambda d: d["shards"][0]["tasks"].append("ut:none"), "which is no task"),
        (lambda d: d["shards"][0].update(queue="control"), "which no worker of its suite serves"),
        (lambda d: d["tasks"][0].update(shard="elsewhere"), "does not belong into shard"),
        (lambda d: d["tasks"][0].update(package="x"), "is not what its id says"),
        (lambda d: d.update(profile="../../etc/passwd"), "is no name of a profile"),
        (lambda d: d["diff_summary"].update(head_commit="--upload-pack=x"), "is no commit id"),
    ],
)
def test_a_plan_that_is_not_in_order_is_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(BadPlanError, match=message):
        plan_from_json(forged(change))


@pytest.mark.parametrize("name", ["..", "../x", "/etc", "-x", "a\nb", "a//b", ""])
@pytest.mark.parametrize(("kind", "old"), [("category", "join"), ("package", "pkg/plan/..."), ("analyser", "vet")])
def test_a_foreign_plan_cannot_name_what_is_outside_of_the_tree(kind: str, old: str, name: str) -> None:
    with pytest.raises(BadPlanError, match="outside of the tree"):
        plan_from_json(forged(rename(kind, old, name)))


@pytest.mark.parametrize("file", ["../../secret.sql", "/etc/passwd", "-x.sql", "a\x00.sql"])
def test_a_foreign_plan_cannot_name_files_outside_of_their_category(file: str) -> None:
    with pytest.raises(BadPlanError, match="outside of its directory"):
        plan_from_json(forged(lambda d: task(d, "bvt:join").update(files=[file], test_file=file)))


def test_a_plan_that_was_changed_by_hand_is_refused() -> None:
    document = copy.deepcopy(PLAN)
    document["summary"] = "nothing to see here"
    with pytest.raises(BadPlanError, match="changed after it was made"):
        plan_from_json(document)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"schema_version": NaN}', b"\x00\x01"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(BadPlanError, match=r"is no JSON(?s:.*)plan --format json"):
        loads(data, "plan.json")


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b'"plan"', b"{}"])
def test_json_that_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(BadPlanError, match="is no"):
        loads(data, "plan.json")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, "NaN"])
def test_numbers_that_nobody_can_compute_with_are_refused(number: str) -> None:
    for place in (("omitted", 0, "score"), ("tasks", 0, "est_duration"), ("cost", "runner_seconds")):
        document: Any = copy.deepcopy(PLAN)
        inner = document
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = 987654321
        document["id"] = document_id(document)
        with pytest.raises(BadPlanError, match="is no number of a plan"):
            loads(json.dumps(document).replace("987654321", number))


def test_half_a_character_in_a_plan_is_refused() -> None:
    for change in (
        lambda document: document["tasks"][0]["reasons"][0].update(strategy="\ud800"),
        lambda document: document["shards"][0].update(id="\ud800"),
    ):
        with pytest.raises(BadPlanError):
            loads(json.dumps(forged(change)))


@pytest.mark.parametrize("name", ["../../x", "", "a\x1b[2J", "-x"])
def test_a_foreign_plan_cannot_name_a_shard_like_a_place_outside(name: str) -> None:
    def change(document: dict[str, Any]) -> None:
        old, document["shards"][0]["id"] = document["shards"][0]["id"], name
        for entry in document["tasks"]:
            entry["shard"] = name if entry["shard"] == old else entry["shard"]

    with pytest.raises(BadPlanError, match="is no name of a shard"):
        plan_from_json(forged(change))


@pytest.mark.parametrize("time", ["yesterday", "2026-01-01\x1b00:00:00", ""])
def test_a_plan_was_made_at_a_time(time: str) -> None:
    with pytest.raises(BadPlanError, match="which is no time"):
        plan_from_json(forged(lambda document: document.update(created_at=time)))


@pytest.mark.parametrize("workers", [0, -3])
def test_a_plan_is_for_somebody(workers: int) -> None:
    with pytest.raises(BadPlanError, match="workers"):
        plan_from_json(forged(lambda document: document["cost"].update(workers=workers)))


@pytest.mark.parametrize("pull", [0, -7, 2**31])
def test_a_plan_is_of_a_pull_request_that_the_history_can_hold(pull: int) -> None:
    with pytest.raises(BadPlanError, match=f"{pull} is no number of a pull request"):
        plan_from_json(forged(lambda document: document["diff_summary"].update(pr_number=pull)))
