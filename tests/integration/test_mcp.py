"""The MCP server under the official client, over both transports: real Redis, worker and control."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult

from orchestrator.cli import mcp as mcp_command
from orchestrator.domain.errors import UsageError
from orchestrator.service.tokens import hash_of
from tests.acceptance.project import Project, make_project
from tests.acceptance.servers import redis_server, service
from tests.require import require
from tests.unit.surface.product import FILES
from tests.waiting import until
from workers.servers.owned import free_port

PASS = "if It() != 2 { t.Fatal(It()) }"
FAIL = 't.Fatal("told to")'
SLOW = "time.Sleep(time.Hour)"
CASE = {"first/one.sql": "create table t1 (a int);\nselect rank() over (order by a) from t1;\ndrop table t1;\n"}
TOKENS = {"dev": "developer", "vera": "viewer", "boss": "maintainer"}
TOOLS = {
    "plan_change",
    "explain_plan",
    "list_runs",
    "get_run",
    "watch_run",
    "triage_run",
    "read_failures",
    "read_log",
    "list_hosts",
    "run_stats",
    "search_cases",
    "read_case",
    "check_case",
    "generate_cases",
    "start_run",
    "rerun_run",
    "cancel_run",
}


class Stack:
    """A project whose pull request passes in ``a``, fails in ``b`` and hangs in ``slow``, its services, and MCP's."""

    def __init__(self, project: Project, url: str, rest: str) -> None:
        self.project, self.url, self.rest = project, url, rest

    @property
    def diff(self) -> str:
        """What the pull request changes, as text."""
        return self.project.git("diff", "main...pr") + "\n"

    @property
    def head(self) -> str:
        """Its last commit."""
        return self.project.git("rev-parse", "pr")

    @asynccontextmanager
    async def over_http(self, who: str) -> AsyncIterator[Client]:
        """A client with a token."""
        headers = {"Authorization": f"Bearer {who}-secret"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(f"{self.url}/mcp", http_client=http)) as client,
        ):
            yield client

    @asynccontextmanager
    async def over_stdio(self, *options: str) -> AsyncIterator[Client]:
        """A client that starts a server of its own."""
        words = ["-m", "orchestrator", "mcp", "--profile", str(self.project.profile), *options]
        server = StdioServerParameters(command=sys.executable, args=words, env=self.project.environment())
        async with Client(server) as client:
            yield client


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    require("redis", "go")
    folder = tmp_path_factory.mktemp("mcp")
    project = make_project(folder / "project", {"a": PASS, "b": FAIL, "slow": SLOW}, cases=CASE)
    add_product(project)
    tokens = [f"  - {{name: {n}, sha256: {hash_of(f'{n}-secret')}, role: {r}}}" for n, r in TOKENS.items()]
    (project.profile.parent / "tokens.yaml").write_text("tokens:\n" + "\n".join(tokens) + "\n")
    port, other = free_port(), free_port()
    with redis_server(folder) as redis:
        project.environ["MO_TESTPLAN_REDIS_URL"] = redis
        env, profile = project.environment(), str(project.profile)
        log = folder / "log"
        words = ["worker", "--profile", profile, "--queues", "ut,sca", "--unsafe-no-sandbox"]
        http = ["mcp", "--profile", profile, "--transport", "http", "--port", str(port)]
        with (
            service("control", "--profile", profile, env=env, log=log),
            service(*words, env=env, log=log),
            service(*http, env=env, log=log),
            service("serve", "--profile", profile, "--port", str(other), env=env, log=log),
        ):
            url = f"http://127.0.0.1:{port}"
            until(lambda: _answers(url), "the MCP server listens")
            rest = f"http://127.0.0.1:{other}"
            until(lambda: _healthy(rest), "the REST API listens")
            yield Stack(project, url, rest)


def add_product(project: Project) -> None:
    """A branch ``func`` that changes a SQL function of a product, which the commit before it brings."""
    text = project.profile.read_text()
    project.profile.write_text(text.replace("  cases: cases\n", "  cases: cases\n  surface: matrixone\n"))
    project.git("checkout", "-q", "-b", "func", "main")
    for name, source in FILES.items():
        path = project.repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "a product")
    function = project.repo / "pkg/sql/plan/function/func_unary.go"
    function.write_text(function.read_text().replace("return lowest(x)", "return lowest(x) + 1"))
    project.git("commit", "-q", "-a", "-m", "fix: ascii of empty text")
    project.git("checkout", "-q", "pr")


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/mcp").status_code == 401
    except httpx2.TransportError:
        return False


def _healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def answered(result: CallToolResult) -> Any:  # noqa: ANN401 - the tool's own shape
    """The structured answer of a call that went well."""
    assert not result.is_error, result.content
    found = result.structured_content or {}
    return found["result"] if set(found) == {"result"} else found


def refused(result: CallToolResult) -> str:
    """The words of a refusal."""
    assert result.is_error
    return str(getattr(result.content[0], "text", ""))


async def ended(client: Client, run: str) -> dict[str, Any]:
    """Watch a run to its end, as an agent does; the run as it stands then."""
    cursor, kinds = "0", []
    for _ in range(20):
        page = answered(await client.call_tool("watch_run", {"run": run, "after": cursor, "wait": 20, "until": "end"}))
        kinds += [event["kind"] for event in page["events"]]
        cursor = page["cursor"]
        if page["ended"]:
            break
    assert "started" in kinds
    found: dict[str, Any] = answered(await client.call_tool("get_run", {"run": run}))
    return found


def run_with(make: Callable[[], Any], work: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        async with make() as client:
            await work(client)

    asyncio.run(main())


@dataclass(frozen=True)
class Agent:
    """A developer's agent over one of the transports."""

    transport: str
    stack: Stack

    def does(self, work: Callable[[Client], Awaitable[None]]) -> None:
        run_with(self._client, work)

    def _client(self) -> Any:  # noqa: ANN401 - a context manager of either kind
        over_http = self.transport == "http"
        return self.stack.over_http("dev") if over_http else self.stack.over_stdio("--role", "developer")


@pytest.fixture(params=["http", "stdio"])
def agent(request: pytest.FixtureRequest, stack: Stack) -> Agent:
    return Agent(request.param, stack)


def test_every_tool_explains_itself_and_its_arguments(agent: Agent) -> None:
    async def work(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS
        for tool in tools:  # an agent reads no other document
            asked = tool.input_schema.get("properties", {})
            assert tool.description
            assert [name for name, field in asked.items() if not field.get("description")] == []

    agent.does(work)


def test_an_agent_goes_from_a_diff_to_a_green_run(agent: Agent) -> None:
    stack, key = agent.stack, agent.transport

    async def work(client: Client) -> None:
        change = {"diff": stack.diff, "commit": stack.head, "tasks": ["ut:a/...", "ut:b/..."]}
        plan = answered(await client.call_tool("plan_change", change))
        assert (plan["runnable"], plan["tasks_total"]) == (True, 2)
        why = answered(await client.call_tool("explain_plan", {"plan": plan["plan"], "task": "ut:a/..."}))
        assert "rule a/" in why["chosen"][0]["reason"]
        order = {"plan": plan["plan"], "reason": "the diff of an agent", "key": key}
        dry = answered(await client.call_tool("start_run", {**order, "dry_run": True}))
        assert (dry["run"], dry["tasks"]) == (None, 2)
        started = [answered(await client.call_tool("start_run", order)) for _ in range(2)]
        assert (started[0]["run"], started[1]["repeated"]) == (started[1]["run"], True)
        red = await ended(client, started[0]["run"])
        assert (red["state"], red["counts"]) == ("failed", {"passed": 1, "failed": 1})
        failures = answered(await client.call_tool("read_failures", {"run": red["run"]}))
        assert (failures["failures"][0]["task"], failures["total"]) == ("ut:b/...", 1)
        assert "told to" in failures["failures"][0]["case"]["message"]
        short = {"run": red["run"], "characters": 100}
        assert len(answered(await client.call_tool("read_failures", short))["failures"][0]["case"]["message"]) < 150
        findings = answered(await client.call_tool("triage_run", {"run": red["run"]}))["findings"]
        found = next(one for one in findings if one["task"] == "ut:b/...")  # a busy machine may make others flaky
        assert (found["cause"], found["next"][:15]) == ("unknown", "look at its log")
        log = answered(await client.call_tool("read_log", {"run": red["run"], "task": "ut:b/..."}))
        assert log["lines"]
        again = {"run": red["run"], "reason": "only what passes", "key": f"{key}-again", "tasks": ["ut:a/..."]}
        green = await ended(client, answered(await client.call_tool("rerun_run", again))["run"])
        assert (green["state"], green["exit_code"], green["parent"]) == ("passed", 0, red["run"])
        late = {"run": green["run"], "reason": "too late", "key": f"{key}-late"}
        assert "ended already" in refused(await client.call_tool("cancel_run", late))
        runs = answered(await client.call_tool("list_runs", {"limit": 2}))
        assert [row["run"] for row in runs] == [green["run"], red["run"]]
        assert "ut" in [row["queue"] for row in answered(await client.call_tool("list_hosts", {}))["queues"]]
        assert answered(await client.call_tool("run_stats", {}))["runs"] >= 2

    agent.does(work)


def test_a_run_that_would_take_an_hour_is_ended_once_while_it_runs(agent: Agent) -> None:
    stack, key = agent.stack, agent.transport

    async def work(client: Client) -> None:
        change = {"diff": stack.diff, "commit": stack.head, "tasks": ["ut:slow/..."]}
        plan = answered(await client.call_tool("plan_change", change))["plan"]
        order = {"plan": plan, "reason": "to be ended", "key": f"{key}-slow"}
        run = answered(await client.call_tool("start_run", order))["run"]
        page = answered(await client.call_tool("watch_run", {"run": run, "wait": 20}))
        assert (page["ended"], page["state"], page["counts"]) == (False, "running", {"running": 1})
        end = {"run": run, "reason": "it hangs", "key": f"{key}-end"}
        dry = answered(await client.call_tool("cancel_run", {**end, "dry_run": True}))
        assert (dry["dry_run"], dry["effect"]) == (True, f"ends run {run}")
        assert not answered(await client.call_tool("cancel_run", end))["repeated"]
        gone = await ended(client, run)
        assert (gone["state"], gone["exit_code"], gone["counts"]) == ("cancelled", 4, {"cancelled": 1})
        assert gone["attention"][0]["stop"]["gone"] >= 0
        assert answered(await client.call_tool("cancel_run", end))["repeated"]

    agent.does(work)


def test_cases_are_searched_read_and_checked(agent: Agent) -> None:
    async def work(client: Client) -> None:
        hits = answered(await client.call_tool("search_cases", {"query": "rank over"}))
        assert hits[0]["path"] == "first/one.sql"
        text = answered(await client.call_tool("read_case", {"path": "first/one.sql"}))["script"]
        same = answered(await client.call_tool("check_case", {"script": text.replace("t1", "other")}))
        assert same["duplicate"]
        new = answered(await client.call_tool("check_case", {"script": "select json_extract('{}', '$.a');\n"}))
        assert not new["duplicate"]
        for path in ("../config/mini.yaml", "/etc/passwd", "first/none.sql", "x" * 300 + ".sql"):
            assert "no script" in refused(await client.call_tool("read_case", {"path": path}))

    agent.does(work)


def test_cases_for_a_change_are_the_same_twice_and_come_in_pages(agent: Agent) -> None:
    async def work(client: Client) -> None:
        ask = {"base": "func~", "head": "func", "budget": 20}
        first = answered(await client.call_tool("generate_cases", ask))
        assert (first["drafts_total"], first["next"]) == (1, None)
        assert "ascii(" in first["drafts"][0]["text"]
        assert first == answered(await client.call_tool("generate_cases", ask))
        beyond = answered(await client.call_tool("generate_cases", {**ask, "offset": 1}))
        assert (beyond["drafts_total"], beyond["drafts"]) == (1, [])
        assert "exactly one of" in refused(await client.call_tool("generate_cases", {}))

    agent.does(work)


def test_every_resource_and_every_prompt_can_be_read(agent: Agent) -> None:
    stack = agent.stack

    async def work(client: Client) -> None:
        change = {"diff": stack.diff, "commit": stack.head, "tasks": ["ut:a/..."]}
        plan = answered(await client.call_tool("plan_change", change))["plan"]
        order = {"plan": plan, "reason": "to be read", "key": f"{agent.transport}-read"}
        run = (await ended(client, answered(await client.call_tool("start_run", order))["run"]))["run"]
        resources = {str(found.uri) for found in (await client.list_resources()).resources}
        templates = {found.uri_template for found in (await client.list_resource_templates()).resource_templates}
        assert resources == {"mo-testplan://runs", "mo-testplan://case-rules"}
        assert len(templates) == 4
        uris = [f"run/{run}", f"run/{run}/plan", f"plan/{plan}", "case/first/one.sql", "runs", "case-rules"]
        for uri in uris:
            (content,) = (await client.read_resource(f"mo-testplan://{uri}")).contents
            assert getattr(content, "text", "")
            if getattr(content, "mime_type", "") == "application/json":
                assert json.loads(getattr(content, "text", ""))
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert set(prompts) == {"triage_run", "complete_tests", "investigate_task"}
        for prompt in prompts.values():
            values = {argument.name: "x-1" for argument in prompt.arguments or []}
            assert "x-1" in str((await client.get_prompt(prompt.name, values)).messages[0].content)

    agent.does(work)


def test_orders_are_refused_without_role_reason_key_or_budget(stack: Stack) -> None:
    async def work(client: Client) -> None:
        change = {"diff": stack.diff, "commit": stack.head, "suite": "ut"}
        plan = answered(await client.call_tool("plan_change", change))["plan"]
        order = {"plan": plan, "reason": "why not", "key": "k"}
        for without in ("reason", "key"):
            some = {name: value for name, value in order.items() if name != without}
            assert without in refused(await client.call_tool("start_run", some))
            assert without in refused(await client.call_tool("start_run", {**order, without: " "}))
        assert "budget" in refused(await client.call_tool("start_run", order))

    async def viewer(client: Client) -> None:
        plan = answered(await client.call_tool("plan_change", {"diff": stack.diff, "commit": stack.head}))["plan"]
        answer = await client.call_tool("start_run", {"plan": plan, "reason": "why not", "key": "k"})
        assert "needs the role developer" in refused(answer)

    async def read_only(client: Client) -> None:
        answer = await client.call_tool("cancel_run", {"run": "x", "reason": "why not", "key": "k"})
        assert "read-only" in refused(answer)

    run_with(lambda: stack.over_stdio("--role", "developer", "--runs", "1", "--runner-minutes", "1"), _spend(stack))
    run_with(lambda: stack.over_stdio("--role", "developer", "--runs", "1"), work)
    run_with(lambda: stack.over_http("vera"), viewer)
    run_with(lambda: stack.over_stdio("--role", "admin", "--read-only"), read_only)


def _spend(stack: Stack) -> Callable[[Client], Awaitable[None]]:
    """Use up a budget of one run, if the tests before have not."""

    async def work(client: Client) -> None:
        change = {"diff": stack.diff, "commit": stack.head, "suite": "ut", "tasks": ["ut:a/..."]}
        plan = answered(await client.call_tool("plan_change", change))["plan"]
        await client.call_tool("start_run", {"plan": plan, "reason": "spend it", "key": "spend"})

    return work


def test_ipv6_stands_in_brackets_and_a_proxy_may_speak_https() -> None:
    parser = argparse.ArgumentParser()
    mcp_command.add_arguments(parser)
    args = parser.parse_args(["--host", "::1", "--port", "9"])
    assert mcp_command._url(args) == "http://[::1]:9"
    assert "[::1]:9" in mcp_command._security(args, mcp_command._url(args)).allowed_hosts
    args = parser.parse_args(["--transport", "http", "--public-url", "https://mcp.example.com"])
    mcp_command._check(args)
    assert "https://mcp.example.com" in mcp_command._security(args, mcp_command._url(args)).allowed_origins
    args = parser.parse_args(["--transport", "http", "--port", "0"])
    mcp_command._check(args)
    assert args.port > 0, "any that is free"
    assert f"127.0.0.1:{args.port}" in mcp_command._security(args, mcp_command._url(args)).allowed_hosts
    for wrong in ("foo", "ftp://a", "http://", "http://[x", "http://a:b", "http://a b", "http://%zz"):
        with pytest.raises(UsageError, match="no address"):
            mcp_command._url(parser.parse_args(["--public-url", wrong]))


def test_nobody_gets_in_without_a_token(stack: Stack) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"Accept": "application/json, text/event-stream", "Authorization": "Bearer wrong"}
    assert httpx2.post(f"{stack.url}/mcp", json=body, headers=headers).status_code == 401
    assert httpx2.get(f"{stack.url}/healthz").text == "ok\n"


def test_an_argument_that_no_tool_knows_is_refused_and_nothing_is_done(stack: Stack) -> None:
    async def work(client: Client) -> None:
        for tool in (await client.list_tools()).tools:
            assert tool.input_schema["additionalProperties"] is False
        answer = await client.call_tool("cancel_run", {"run": "x", "reason": "why not", "key": "k", "dryRun": True})
        assert "dryRun" in refused(answer)
        assert "UnknownRunError" not in refused(answer)

    run_with(lambda: stack.over_http("dev"), work)


def test_errors_tell_an_agent_what_to_do(stack: Stack) -> None:
    async def work(client: Client) -> None:
        assert "Give exactly one of" in refused(await client.call_tool("plan_change", {}))
        assert "UnknownRunError" in refused(await client.call_tool("get_run", {"run": "9999-ffffffff"}))
        assert "in 0. Give" in refused(await client.call_tool("plan_change", {})), (
            "what and what to do are two sentences"
        )
        assert "a number is needed" in refused(await client.call_tool("plan_change", {"pull": True}))
        for name, says in (("triage_run", "run"), ("no_such", "no_such")):
            with pytest.raises(MCPError, match=says):
                await client.get_prompt(name, {})

    run_with(lambda: stack.over_http("vera"), work)


def test_serve_takes_a_new_token_starts_a_run_and_streams_it_to_its_end(stack: Stack) -> None:
    made = stack.project.command("token", "script", "--role", "developer", "--format", "json")
    document = json.loads(made.stdout)
    entry = document["entry"]
    with (stack.project.profile.parent / "tokens.yaml").open("a") as file:  # read again while it serves
        file.write(f"  - {{name: {entry['name']}, sha256: {entry['sha256']}, role: {entry['role']}}}\n")
    headers = {"Authorization": f"Bearer {document['token']}", "Idempotency-Key": "a-1"}
    with httpx2.Client(base_url=f"{stack.rest}/api/v1", headers=headers, timeout=60) as http:
        change = {"base": "main", "head": "pr", "tasks": ["ut:a/..."]}
        started = http.post("/runs", params={"reason": "a script"}, json={"change": change})
        assert started.status_code == 201, started.text
        run = started.json()["run"]
        with http.stream("GET", f"/runs/{run}/events/stream") as events:
            kinds = [line.removeprefix("event: ") for line in events.iter_lines() if line.startswith("event: ")]
        assert (kinds[0], kinds[-1]) == ("started", "ended")
        assert http.get(f"/runs/{run}").json()["exit_code"] == 0
        assert 'testsuite name="ut:a/..."' in http.get(f"/runs/{run}/junit.xml").text
        assert http.get("/hosts").json()["hosts"][0]["faults"] == []
    assert "mo_testplan_runs_total" in httpx2.get(f"{stack.rest}/metrics").text
