"""``mo-testplan plan`` and ``explain`` as people and other programs call them."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.plan import add_plan_arguments, bvt_scripts, plan_from_args
from orchestrator.cli.run import add_arguments as add_run_arguments
from orchestrator.cli.run import cut_down
from orchestrator.planner.codec import subset

ROOT = Path(__file__).resolve().parents[2]
DIFF = """\
diff --git a/pkg/sql/plan/build.go b/pkg/sql/plan/build.go
--- a/pkg/sql/plan/build.go
+++ b/pkg/sql/plan/build.go
@@ -10,3 +10,4 @@ func build() {
 a
-b
+c
+d
 e
"""
CASE = """\
diff --git a/test/distributed/cases/cdc/x.sql b/test/distributed/cases/cdc/x.sql
new file mode 100644
--- /dev/null
+++ b/test/distributed/cases/cdc/x.sql
@@ -0,0 +1 @@
+select 1;
"""


def command(*words: str, stdin: bytes | None = None, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *words],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        env={**os.environ, **env},
        check=False,
        timeout=60,
    )


def answer(*words: str, stdin: bytes | None = None) -> dict[str, Any]:
    done = command(*words, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def refused(*words: str, stdin: bytes | None = None, code: int = 2) -> str:
    """The words of a refusal: nothing on stdout, no traceback."""
    done = command(*words, stdin=stdin)
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (code, b""), said
    assert "Traceback" not in said
    return said


@pytest.fixture
def diff(tmp_path: Path) -> str:
    path = tmp_path / "change.diff"
    path.write_text(DIFF)
    return str(path)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository whose branch ``topic`` changes one Go function and deletes a package."""
    repo = tmp_path / "clone"
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")

    def git(*words: str) -> None:
        env = {**os.environ, "GIT_COMMITTER_DATE": "2026-08-01T12:00:00Z"}
        subprocess.run(["git", "-C", str(repo), *who, *words], check=True, env=env, capture_output=True)

    for name in (
        "pkg/cdc/a.go",
        "pkg/udf/old.go",
        "test/distributed/cases/udf/a.sql",
        "test/distributed/cases/udf/b.test",
    ):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("package x\n\nfunc One() int {\n\treturn 1\n}\n")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    git("checkout", "-qb", "topic")
    (repo / "pkg/cdc/a.go").write_text("package x\n\nfunc One() int {\n\treturn 2\n}\n")
    (repo / "pkg/udf/old.go").unlink()
    git("add", ".")
    git("commit", "-qm", "second")
    return repo


def test_a_diff_becomes_json_and_nothing_else_on_stdout(diff: str) -> None:
    plan = answer(
        "plan", "--diff", diff, "--profile", "config/matrixone.yaml", "--strategies", "rules", "--format", "json"
    )
    tasks = {task["id"]: task["priority"] for task in plan["tasks"]}
    categories = ("optimizer", "plan_cache", "join", "subquery", "cte", "recursive_cte", "hint")
    assert tasks == {
        "ut:pkg/sql/plan/...": 1,
        **{f"bvt:{name}": 1 for name in categories},
        **{f"sca:{name}": 0 for name in ("go-vet", "golangci-lint", "error-constructors")},
    }
    assert plan["diff_summary"]["files"][0]["path"] == "pkg/sql/plan/build.go"
    assert (plan["base_branch"], plan["created_at"]) == ("main", None)


def test_stdin_file_and_hash_seed_make_no_difference(diff: str, tmp_path: Path) -> None:
    outputs = {
        command("plan", "--diff", diff, "--format", "json", PYTHONHASHSEED="1").stdout,
        command("plan", "--diff", "-", "--format", "json", stdin=DIFF.encode(), PYTHONHASHSEED="2").stdout,
    }
    made = tmp_path / "plan.json"
    assert command("plan", "--diff", diff, "--format", "json", "-o", str(made)).stdout == b""
    assert outputs == {made.read_bytes()}
    assert [path.name for path in tmp_path.iterdir() if "plan.json" in path.name] == ["plan.json"]


def test_a_repository_gives_functions_time_and_what_is_missing(clone: Path) -> None:
    words = ("--repo", str(clone), "--base", "main", "--head", "topic", "--strategies", "rules", "--format", "json")
    plan = answer("plan", *words, "--pr", "7")
    assert plan["pr_number"] == 7
    assert plan["created_at"] == "2026-08-01T12:00:00Z"
    assert plan["diff_summary"]["files"][0]["functions"] == ["One"]
    skipped = {task["id"]: task["note"] for task in plan["tasks"] if task["skip"]}
    assert skipped == {
        "bvt:cdc": "the tree has no category cdc: nothing to run",
        "ut:pkg/udf/...": "the tree has no directory pkg/udf: nothing to run",
    }
    assert {tuple(task["files"]) for task in plan["tasks"] if task["analyser"]} == {("pkg/cdc",)}


def test_the_first_scripts_of_a_category_are_found_at_the_head(clone: Path) -> None:
    parser = argparse.ArgumentParser()
    add_plan_arguments(parser)
    words = ["--repo", str(clone), "--base", "main", "--head", "topic", "--strategies", "rules"]
    args = parser.parse_args(words)
    plan = plan_from_args(args)
    scripts = bvt_scripts(args, plan, 1)
    assert scripts == {"bvt:udf": ("a.sql",)}
    assert subset(plan, ["bvt:udf"], scripts).tasks[0].files == ("a.sql",)


def test_limits_of_one_task_add_up(clone: Path) -> None:
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    words = ["--repo", str(clone), "--base", "main", "--head", "topic", "--strategies", "rules"]
    limits = ["--limit", "bvt:udf=b.test", "--limit", "bvt:udf=a.sql,b.test"]
    args = parser.parse_args([*words, "--task", "bvt:udf", "--bvt-files", "1", *limits])
    assert cut_down(args, plan_from_args(args)).tasks[0].files == ("b.test", "a.sql")


def test_a_run_limited_to_a_script_that_is_not_there_does_not_start(clone: Path) -> None:
    change = ["--repo", str(clone), "--base", "main", "--head", "topic", "--strategies", "rules"]
    said = refused("run", *change, "--task", "bvt:udf", "--limit", "bvt:udf=b.sql", "--local")
    assert "limited to b.sql: the tree under test has none" in said
    assert "Did you mean 'a.sql'?" in said


def test_a_limit_that_no_clone_can_check_is_said_to_be_unchecked(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    change = ["--repo", str(clone), "--base", "main", "--head", "topic", "--strategies", "rules"]
    limit = ["--task", "bvt:udf", "--limit", "bvt:udf=a.sql"]
    plan = plan_from_args(parser.parse_args(change))
    cut_down(parser.parse_args([*change, *limit]), plan)
    assert "not checked" not in capsys.readouterr().err
    monkeypatch.delenv("MO_TESTPLAN_REPO", raising=False)
    monkeypatch.chdir(tmp_path)
    cut_down(parser.parse_args(limit), plan)
    assert "--limit is not checked" in capsys.readouterr().err


def test_a_category_is_added_by_hand_and_an_unknown_one_refused(diff: str) -> None:
    plan = answer("plan", "--diff", diff, "--category", "window", "--strategies", "rules", "--format", "json")
    assert "bvt:window" in {task["id"] for task in plan["tasks"]}
    assert "'window'" in refused("plan", "--diff", diff, "--category", "windows")


def test_a_category_the_diff_adds_is_not_missing() -> None:
    plan = answer("plan", "--diff", "-", "--format", "json", stdin=CASE.encode())
    assert [(task["id"], task["skip"]) for task in plan["tasks"]] == [("bvt:cdc", False)]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_people_read_it_as_text_or_markdown(form: str, diff: str) -> None:
    done = command("plan", "--diff", diff, "--format", form)
    assert done.returncode == 0
    assert "pkg/sql/plan/..." in done.stdout.decode()


def test_explain_says_why_and_why_not(diff: str, tmp_path: Path) -> None:
    made = str(tmp_path / "plan.json")
    command("plan", "--diff", diff, "--format", "json", "-o", made)
    assert "because rules (1.00): rule pkg/sql/plan/" in command("explain", made, "bvt:join").stdout.decode()
    assert "not chosen" in command("explain", made, "bvt:window").stdout.decode()
    assert answer("explain", made, "bvt:join", "--format", "json")["tasks"][0]["shard"] == "bvt-1"
    assert "#### `bvt:join`" in command("explain", made, "bvt:join", "--format", "markdown").stdout.decode()
    assert "```" in command("explain", made, "--shards", "--format", "markdown").stdout.decode()
    assert "Did you mean 'bvt:join'" in refused("explain", made, "bvt:jon")


def test_explain_reads_stdin(diff: str) -> None:
    plan = command("plan", "--diff", diff, "--format", "json").stdout
    assert command("explain", "-", "bvt:join", stdin=plan).returncode == 0


def test_a_plan_of_a_newer_version_is_refused(diff: str) -> None:
    plan = command("plan", "--diff", diff, "--format", "json").stdout
    newer = plan.replace(b'"schema_version": 1', b'"schema_version": 9')
    assert "schema version 9; this program reads up to version 1" in refused("explain", "-", stdin=newer)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("plan",), "no change is named"),
        (("plan", "--diff", "/no/such/file"), "cannot"),
        (("plan", "--diff", "."), "cannot"),
        (("plan", "--diff", "README.md"), "diff"),
        (("plan", "--diff", "x", "--base", "main"), "two ways"),
        (("plan", "--diff", "-", "--profile", "matrixon"), "Did you mean 'matrixone'"),
        (("plan", "--diff", "-", "--strategies", "rule"), "Did you mean 'rules'"),
        (("plan", "--diff", "-", "--strategies", ""), "no strategy"),
        (("plan", "--diff", "-", "--pr", "0"), "--pr"),
        (("plan", "--diff", "-", "-o", "/no/such/dir/plan"), "cannot write"),
        (("explain", "/no/such/plan"), "cannot read"),
    ],
)
def test_bad_input_is_refused_with_a_remedy(words: tuple[str, ...], message: str) -> None:
    said = refused(*words, stdin=DIFF.encode())
    assert message in said
    assert len(said.splitlines()) >= 2


def test_a_revision_that_is_not_there_is_refused_by_its_name(clone: Path) -> None:
    assert "no-such-revision" in refused("plan", "--repo", str(clone), "--base", "no-such-revision")


def test_an_unknown_key_of_a_profile_names_the_nearest(diff: str, tmp_path: Path) -> None:
    profile = tmp_path / "toy.yaml"
    profile.write_text("name: toy\nrulez: []\n")
    assert "Did you mean 'rules'" in refused("plan", "--diff", diff, "--profile", str(profile))


def test_the_path_of_plan_imports_nothing_heavy(diff: str) -> None:
    program = (
        "import sys; from orchestrator.cli.main import main; "
        f"main(['plan', '--diff', {diff!r}, '--strategies', 'rules', '--format', 'json']); "
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.decode().split()}
    assert "orchestrator" in loaded
    assert not loaded & {
        "pydantic",
        "rich",
        "celery",
        "kombu",
        "sqlalchemy",
        "redis",
        "tree_sitter",
        "subprocess",
        "asyncio",
    }


def test_a_reader_that_leaves_early_is_no_error(diff: str) -> None:
    words = [sys.executable, "-m", "orchestrator", "plan", "--diff", diff]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        done.stdout.close()
        assert done.stderr.read() == b""
    assert done.returncode == 0
