"""The REST API over real HTTP: every route, who may use it, what retries do, events as they happen, metrics."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.api.metrics import Metrics
from orchestrator.api.rest.app import MAX_BODY, PREFIX, make_api
from orchestrator.api.server import routes
from orchestrator.domain.profile import Profile, Rule
from orchestrator.domain.run import CaseResult, CaseStatus, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.hosts import HostRecord
from orchestrator.planner.codec import plan_to_json
from orchestrator.service.service import Service
from tests.factories import make_plan, make_task
from tests.serving import TOKENS, end_run, make_service, play, serving, start_run

TASKS = [make_task("pkg/a", "ut-1"), make_task("pkg/b", "ut-2")]
DIFF = "diff --git a/pkg/a/a.go b/pkg/a/a.go\n--- a/pkg/a/a.go\n+++ b/pkg/a/a.go\n@@ -1 +1 @@\n-package x\n+package a\n"
GRAFANA = Path(__file__).resolve().parents[2] / "config" / "grafana" / "mo-testplan.json"


@dataclasses.dataclass
class Api:
    service: Service
    url: str

    def call(self, method: str, path: str, role: str = "developer", **more: Any) -> httpx.Response:  # noqa: ANN401
        headers = {"Authorization": f"Bearer {TOKENS[role]}", **more.pop("headers", {})}
        return httpx.request(method, f"{self.url}{PREFIX}{path}", headers=headers, timeout=30, **more)

    def order(self, path: str, body: object, key: str, role: str = "developer", **params: Any) -> httpx.Response:  # noqa: ANN401
        params = {"reason": "a test", **params}
        return self.call("POST", path, role, json=body, params=params, headers={"Idempotency-Key": key})


@pytest.fixture
def api(valkey_url: str, tmp_path: Path) -> Iterator[Api]:
    profile = Profile(name="demo", rules=(Rule(prefix="pkg/a/", unit_tests=("pkg/a",)),))
    with make_service(valkey_url, tmp_path, profile) as service:
        app = make_api(service, valkey_url, routes({}, Metrics(service)))
        with serving(app) as url:
            yield Api(service, url)


def test_nobody_gets_in_without_a_good_token(api: Api) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = httpx.get(f"{api.url}{PREFIX}/runs", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["remedy"]


def test_a_diff_is_planned_explained_started_and_started_once(api: Api) -> None:
    made = api.call("POST", "/plans", json={"diff": DIFF, "commit": "1" * 40})
    assert made.status_code == 201
    plan = made.json()["id"]
    assert api.call("GET", f"/plans/{plan}").json() == made.json()
    assert api.call("GET", f"/plans/{plan}/explanation", params={"task": "ut:pkg/a/..."}).json()["tasks"]
    assert "Test plan" in api.call("GET", f"/plans/{plan}/markdown").text
    answers = [api.order("/runs", {"plan": plan}, "one") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert len({answer.json()["run"] for answer in answers}) == 1
    started = answers[0].json()["run"]
    assert api.call("GET", f"/runs/{started}").json()["state"] == "running"
    assert api.call("GET", f"/runs/{started}/plan").json()["id"] == plan


def test_orders_are_refused_without_role_reason_key_or_budget(api: Api) -> None:
    plan = plan_to_json(make_plan(TASKS))
    body = {"plan_document": plan}
    assert api.order("/runs", body, "k", "viewer").status_code == 403
    assert api.call("POST", "/runs", json=body, params={"reason": "x"}).status_code == 422
    assert api.call("POST", "/runs", json=body, headers={"Idempotency-Key": "k"}).status_code == 422
    assert api.order("/runs", body, "k", reason=" ").status_code == 422
    assert api.order("/runs", body, "a", "poor").status_code == 201
    refused = api.order("/runs", body, "b", "poor")
    assert (refused.status_code, "budget" in refused.json()["message"]) == (403, True)
    assert len(api.service.ledger.active()) == 1


def test_who_has_a_budget_of_runner_minutes_does_not_say_what_a_plan_costs(api: Api) -> None:
    refused = api.order("/runs", {"plan_document": plan_to_json(make_plan(TASKS))}, "k", "slow")
    assert (refused.status_code, "its own cost" in refused.json()["message"]) == (403, True)
    kept = api.service.writes.keep(make_plan(TASKS)).id
    assert api.order("/runs", {"plan": kept}, "k", "slow").status_code == 201


def test_errors_speak_of_what_was_sent_and_not_of_options_of_a_command(api: Api) -> None:
    damaged, coloured = DIFF[:-12], re.sub("(?m)^", "\x1b[31m", DIFF)
    run = start_run(api.service, make_plan(TASKS))
    play(api.service, run, {task.id: (TaskState.PASSED, ()) for task in make_plan(TASKS).tasks})
    end_run(api.service, run)
    answers = [
        *(api.call("POST", "/plans", json={"diff": diff}) for diff in ("hello", damaged, coloured)),
        api.order("/runs", {"change": {"diff": DIFF}}, "bare"),
        api.order(f"/runs/{run}/rerun", {"failed": True}, "green"),
    ]
    for answer in answers:
        assert (answer.status_code, bool(answer.json()["remedy"])) == (422, True)
        assert not re.search(r"(^|[ `])--[a-z]", answer.json()["remedy"]), answer.text
    assert "commit" in answers[3].json()["remedy"]


@pytest.mark.parametrize(
    ("more", "status", "word"),
    [
        ({"content": b'{"pull": 7}'}, 422, "Content-Type: application/json"),
        ({"data": {"pull": 7}}, 422, "Content-Type: application/json"),
        ({"json": {"pull": True}}, 422, "a number is needed, not true"),
        ({"json": {"diff": "x" * MAX_BODY}}, 413, "Send less"),
        ({"content": iter([b"x" * MAX_BODY, b"x"]), "headers": {"Content-Type": "application/json"}}, 413, "Send less"),
        ({"content": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400, "JSON"),
    ],
)
def test_what_is_no_request_is_told_what_is_wrong_with_it(
    api: Api, more: dict[str, Any], status: int, word: str
) -> None:
    answer = api.call("POST", "/plans", **more)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message", "remedy"}
    assert word in answer.text


def test_a_wrong_route_or_method_is_shown_where_the_right_ones_are(api: Api) -> None:
    for method, path in (("GET", "/nothing"), ("DELETE", "/runs")):
        assert "openapi.json" in api.call(method, path).json()["remedy"]


def test_a_changed_plan_is_no_plan(api: Api) -> None:
    document = plan_to_json(make_plan(TASKS))
    document["tasks"][0]["est_duration"] = 9.0
    answer = api.order("/runs", {"plan_document": document}, "k")
    assert (answer.status_code, answer.json()["error"]) == (422, "BadPlanError")


def test_a_run_is_read_cancelled_and_run_again(api: Api) -> None:
    run = start_run(api.service, make_plan(TASKS), who="token:developer")
    case = CaseResult("TestX", CaseStatus.FAILED, message="boom")
    play(api.service, run, {"ut:pkg/a": (TaskState.FAILED, (case,))})
    assert api.call("GET", f"/runs/{run}/failures").json()["failures"][0]["case"]["message"] == "boom"
    assert api.call("GET", f"/runs/{run}/log", params={"task": "ut:pkg/a"}).json()["lines"] == ["ut:pkg/a says failed"]
    assert api.order(f"/runs/{run}/cancel", {}, "dry", dry_run=True).json()["dry_run"]
    assert api.order(f"/runs/{run}/cancel", {"tasks": ["ut:pkg/b"]}, "c").status_code == 200
    end_run(api.service, run)
    assert api.call("GET", f"/runs/{run}").json()["exit_code"] == 4
    assert api.call("GET", f"/runs/{run}/tasks", params={"state": "cancelled"}).json()["total"] == 1
    again = api.order(f"/runs/{run}/rerun", {"failed": True}, "r")
    assert (again.status_code, again.json()["tasks"]) == (201, 1)
    assert api.order(f"/runs/{run}/cancel", {}, "late").status_code == 409
    listed = api.call("GET", "/runs", params={"limit": 5}).json()
    assert [row["parent"] for row in listed] == [run, None]


def test_reports_carry_the_failures(api: Api) -> None:
    run = start_run(api.service, make_plan(TASKS[:1]))
    case = CaseResult("TestX", CaseStatus.FAILED, message="boom", file="pkg/a/a_test.go", line=3)
    play(api.service, run, {"ut:pkg/a": (TaskState.FAILED, (case,))})
    end_run(api.service, run)
    junit = api.call("GET", f"/runs/{run}/junit.xml")
    assert junit.headers["content-type"].startswith("application/xml")
    assert b'failures="1"' in junit.content
    assert api.call("GET", f"/runs/{run}/sarif").json()["runs"][0]["results"][0]["level"] == "error"


def test_the_audit_log_is_for_administrators(api: Api) -> None:
    api.order("/runs", {"plan_document": plan_to_json(make_plan(TASKS))}, "k")
    assert api.call("GET", "/audit").status_code == 403
    (entry,) = api.call("GET", "/audit", "admin").json()
    assert (entry["who"], entry["result"]) == ("token:developer", "ok: a test")


async def _listen(api: Api, run: str, ready: asyncio.Event | None = None, last: str = "") -> list[tuple[str, str]]:
    """(id, kind) of every event of a stream, to its end."""
    headers = {"Authorization": f"Bearer {TOKENS['viewer']}", **({"Last-Event-ID": last} if last else {})}
    seen: list[tuple[str, str]] = []
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{api.url}{PREFIX}/runs/{run}/events/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        entry = ""
        async for line in answer.aiter_lines():
            if ready is not None:
                ready.set()
            if line.startswith("id: "):
                entry = line[4:]
            elif line.startswith("event: "):
                seen.append((entry, line[7:]))
    return seen


def test_events_come_as_they_happen_and_a_reconnect_misses_nothing(api: Api) -> None:
    run = start_run(api.service, make_plan(TASKS))

    async def watch() -> list[tuple[str, str]]:
        ready = asyncio.Event()
        listening = asyncio.create_task(_listen(api, run, ready))
        await ready.wait()
        for task in TASKS:
            await asyncio.to_thread(play, api.service, run, {task.id: (TaskState.PASSED, ())})
        await asyncio.to_thread(end_run, api.service, run)
        return await listening

    seen = asyncio.run(watch())
    assert [kind for _, kind in seen] == ["started", "finished", "started", "finished", "ended"]
    rest = asyncio.run(_listen(api, run, last=seen[1][0]))
    assert rest == seen[2:]


def test_a_run_only_history_knows_still_says_how_it_ended(api: Api) -> None:
    run = start_run(api.service, make_plan(TASKS[:1]))
    play(api.service, run, {"ut:pkg/a": (TaskState.PASSED, ())})
    end_run(api.service, run)
    api.service.ledger.redis.flushall()
    assert [kind for _, kind in asyncio.run(_listen(api, run))] == ["ended"]


def test_a_hundred_listeners_hear_every_event(api: Api) -> None:
    run = start_run(api.service, make_plan(TASKS))

    async def watch() -> list[list[tuple[str, str]]]:
        ready = [asyncio.Event() for _ in range(100)]
        listening = [asyncio.create_task(_listen(api, run, one)) for one in ready]
        await asyncio.gather(*(one.wait() for one in ready))
        for task in TASKS:
            await asyncio.to_thread(play, api.service, run, {task.id: (TaskState.PASSED, ())})
        await asyncio.to_thread(end_run, api.service, run)
        return await asyncio.gather(*listening)

    heard = asyncio.run(watch())
    assert len(heard) == 100
    assert all([kind for _, kind in seen][-1] == "ended" and len(seen) == 5 for seen in heard)
    assert api.call("GET", "/stats").json()["runs"] == 1  # and the server answers on


def test_metrics_count_what_ended_and_parse(api: Api) -> None:
    scrape = httpx.get(f"{api.url}/metrics")
    assert _sample(scrape.text, "mo_testplan_broker_up") == 1
    run = start_run(api.service, make_plan(TASKS))
    assert _sample(httpx.get(f"{api.url}/metrics").text, "mo_testplan_queue_depth", queue="ut") == 2
    for name, state in (("a@h", "active"), ("b@h", "active"), ("c@h", "paused")):
        record = HostRecord(name=name, version="1", scheme=keys.SCHEME, queues=("ut",), concurrency=1, state=state)
        api.service.ledger.host_beat(record)
    told = httpx.get(f"{api.url}/metrics").text
    assert _sample(told, "mo_testplan_queue_workers", queue="ut") == 2
    assert _sample(told, "mo_testplan_queue_workers", queue="bvt") == 0
    play(api.service, run, {"ut:pkg/a": (TaskState.FAILED, ())})
    api.order(f"/runs/{run}/cancel", {}, "c", "maintainer")
    end_run(api.service, run)
    text = httpx.get(f"{api.url}/metrics").text
    assert _sample(text, "mo_testplan_overlaps_total") == 0
    assert _sample(text, "mo_testplan_runs_total", state="cancelled") == 1
    assert _sample(text, "mo_testplan_tasks_total", suite="ut", state="failed") == 1
    assert _sample(text, "mo_testplan_cancel_seconds_count") == 1
    assert _sample(text, "mo_testplan_runs_live") == 0
    assert _sample(httpx.get(f"{api.url}/metrics").text, "mo_testplan_runs_total", state="cancelled") == 1


def test_the_dashboard_names_only_what_is_exported(api: Api) -> None:
    run = start_run(api.service, make_plan(TASKS[:1]))  # some series appear with the first run that ended
    play(api.service, run, {"ut:pkg/a": (TaskState.PASSED, ())})
    end_run(api.service, run)
    families = text_string_to_metric_families(httpx.get(f"{api.url}/metrics").text)
    exported = {sample.name for family in families for sample in family.samples}
    expressions = [t["expr"] for p in json.loads(GRAFANA.read_text())["panels"] for t in p["targets"]]
    named = {name for text in expressions for name in re.findall(r"mo_testplan_\w+", text)}
    assert named
    assert named <= exported


def _sample(text: str, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    return None
