"""Resources and prompts: what an agent can read, and how the usual jobs are done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from orchestrator.domain.errors import UsageError
from orchestrator.domain.plain import to_plain
from orchestrator.mcp.desk import McpDesk
from orchestrator.planner.codec import plan_to_json
from orchestrator.planner.render.markdown import plan_markdown

#: Characters of a resource.
_MOST = 400_000

CASE_RULES = """# SQL cases

A case is a script `NAME.sql` (or `.test`) and its expectation `NAME.result`, in a directory that is its category.

* Statements end with `;` at the end of a line. Comments start with `--` or `#`.
* The result file has, for every statement, the statement as it stands in the script, then what it answers: a header
  line and rows with columns apart by tabs, or the error's text; a statement without an answer is followed by nothing.
* `-- @session:id=1{` … `-- @session}` runs the statements between on another session; session 0 is the usual one.
  `-- @wait:0:commit` before a statement waits until session 0 commits.
* `-- @sortkey:0,1` sorts rows by those columns before they are compared; `-- @ignore:1` leaves a column out;
  `-- @regex("pattern", true)` asks for a pattern; `-- @bvt:issue#123` … `-- @bvt:issue` marks a known issue.
* A case makes what it needs (`drop table if exists t; create table t …`), drops it at the end, and depends on no other.
* `order by` in every select of several rows, or a sort key: row order is compared.
* Check a new case with check_case before it is added: what the tree tests already is no new test.
"""

TRIAGE = """Triage run {run}.

1. get_run: which tasks need attention. `error` and `lost` are infrastructure, `failed` is a test.
2. triage_run: what each failure means by this run and the base branch's history, with evidence.
3. read_failures for each failed task; read_log where the message does not explain itself.
4. For each `unknown` decide, with evidence: caused by the change (the failing code is in the plan's diff or what it
   calls), flaky (it passed at this commit before, or its message says timeout, port, race), or environment.
5. If anything is infrastructure or flaky: rerun_run with failed=true, dry_run first, then with a reason and a key.
6. watch_run until ended. Then answer: verdict, one line a failure with its cause and evidence, the next step."""

COMPLETE = """Complete the tests of pull request {pull}.

1. plan_change with pull={pull}; explain_plan: what is tested and what is omitted or unmatched.
2. For each behaviour the change adds or alters: search_cases for SQL that exercises it; read_case the closest.
3. Where nothing exercises it, write a case in the format of the resource mo-testplan://case-rules.
4. check_case for each: drop what the tree tests already.
5. Answer with the scripts, the category each belongs to, and the line of the change each one covers."""

INVESTIGATE = """Find out why task {task} of run {run} did what it did.

1. read_failures and read_log for the task; get_run for its attempts and host.
2. explain_plan with the run's plan: why was it chosen.
3. list_runs: how did it end in the runs before.
4. Answer: what happened, what it means, what to do next; say what you could not find out."""


class Telling:
    """What is registered as resources and prompts."""

    def __init__(self, desk: McpDesk) -> None:
        self._desk = desk

    def run(self, run: str) -> str:
        """A run as it stands, as JSON."""
        self._desk.reader()
        return _json(self._desk.service.reads.run(run), "get_run tells it in short.")

    def plan_of_run(self, run: str) -> str:
        """The plan of a run, as JSON."""
        self._desk.reader()
        return _json(plan_to_json(self._desk.service.reads.find(run)[1]), "explain_plan gives it page by page.")

    def plan(self, plan: str) -> str:
        """A plan that is kept, as Markdown."""
        self._desk.reader()
        return plan_markdown(self._desk.service.writes.kept(plan))[:_MOST]

    def runs(self) -> str:
        """The newest runs, as JSON."""
        self._desk.reader()
        return _json(self._desk.service.reads.runs(20), "list_runs gives fewer.")

    def case(self, category: str, script: str) -> str:
        """A script of the case tree and its result."""
        self._desk.reader()
        return _json(self._desk.cases.read(f"{category}/{script}"), "read_case reads it.")

    def rules(self) -> str:
        """How SQL cases are written."""
        return CASE_RULES


#: URI → (method of :class:`Telling`, MIME type).
RESOURCES: dict[str, tuple[str, str]] = {
    "mo-testplan://runs": ("runs", "application/json"),
    "mo-testplan://run/{run}": ("run", "application/json"),
    "mo-testplan://run/{run}/plan": ("plan_of_run", "application/json"),
    "mo-testplan://plan/{plan}": ("plan", "text/markdown"),
    "mo-testplan://case/{category}/{script}": ("case", "application/json"),
    "mo-testplan://case-rules": ("rules", "text/markdown"),
}


def triage_run(run: str) -> str:
    """Find out why a run failed, run again what deserves it, and say what to do."""
    return TRIAGE.format(run=run)


def complete_tests(pull: str) -> str:
    """Write the SQL cases that a pull request lacks."""
    return COMPLETE.format(pull=pull)


def investigate_task(run: str, task: str) -> str:
    """Find out why one task did what it did."""
    return INVESTIGATE.format(run=run, task=task)


PROMPTS: tuple[Callable[..., str], ...] = (triage_run, complete_tests, investigate_task)


def _json(value: Any, instead: str) -> str:  # noqa: ANN401 - plain data or a view
    """All of it, or an error that says what to do ``instead``: a part of JSON is none."""
    text = json.dumps(to_plain(value), ensure_ascii=False, separators=(",", ":"))
    if len(text) > _MOST:
        raise UsageError(f"it has {len(text)} characters, and a resource at most {_MOST}", instead)
    return text
