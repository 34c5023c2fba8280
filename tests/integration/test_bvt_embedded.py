"""The embedded server and the suite on it: what the demo stands on."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.errors import (
    EXIT_FAILED,
    EXIT_INFRASTRUCTURE,
    EXIT_PASSED,
    EXIT_USAGE,
    InfrastructureError,
    ServerError,
    UsageError,
)
from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Bvt, Profile, Server
from orchestrator.domain.run import CaseStatus, FailureKind, TaskState
from tests.require import require
from tests.unit.workers.support import HOST, Record, make_job
from workers.bvt.cli import main
from workers.bvt.dsn import Dsn, parse_dsn
from workers.bvt.execute import Options
from workers.bvt.render import result_of
from workers.bvt.runner import Case, Runner
from workers.bvt.session import open_wire
from workers.bvt.wire import ServerFaultError, Wire
from workers.servers import Launch, Startup, make_server, shared
from workers.servers.owned import OwnedServer
from workers.shard import Resources
from workers.suites.base import Ending
from workers.suites.bvt import BvtSuite

ROOT = Path(__file__).resolve().parents[2]
BOOT = "import sys; sys.path.insert(0, '{}'); from workers.servers.embedded import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def dsn() -> Iterator[Dsn]:
    require("embedded-sql")
    server = make_server("embedded", startup=Startup(timeout=30))
    try:
        yield parse_dsn(server.start())
    finally:
        server.close()


@pytest.fixture
def wire(dsn: Dsn) -> Iterator[Wire]:
    opened = open_wire(dsn)
    opened.query("create database if not exists shop")
    opened.query("use shop")
    yield opened
    opened.query("drop database if exists shop")
    opened.close()


def rows(wire: Wire, sql: str) -> list[list[str | None]]:
    result, broken = result_of(wire.query(sql))
    assert broken is None
    return [list(row) for row in result.rows]


def test_tables_are_made_filled_changed_and_asked(wire: Wire) -> None:
    wire.query(
        "create table t(id int primary key auto_increment, v varchar(9) not null, d decimal(10,2)) engine=innodb"
    )
    wire.query("insert into t(v, d) values ('a', 1.5), ('b', null)")
    wire.query("update t set d = d * 2 where id = 1")
    assert rows(wire, "select * from t order by id") == [["1", "a", "3.00"], ["2", "b", None]]
    assert rows(wire, "select count(*), max(id) + 1, true, 1e10, now() is null from t") == [
        ["2", "3", "1", "1.0E10", "0"]
    ]
    assert rows(wire, "show tables") == [["t"]]
    assert ["shop"] in rows(wire, "show databases")


def test_each_session_has_its_own_transaction_and_database(dsn: Dsn, wire: Wire) -> None:
    wire.query("create table t(a int)")
    wire.query("begin")
    wire.query("insert into t values (1)")
    other = open_wire(dsn)
    with pytest.raises(ServerFaultError, match="No database selected"):
        other.query("select * from t")
    assert rows(other, "select count(*) from shop.t") == [["0"]]
    wire.query("commit")
    assert rows(other, "select count(*) from shop.t") == [["1"]]
    other.close()


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("selec 1", 1064, "You have an error in your SQL syntax"),
        (";", 1065, "Query was empty"),
        ("create database shop", 1007, "Can't create database 'shop'; database exists"),
        ("drop database nope", 1008, "Can't drop database 'nope'; database doesn't exist"),
        ("use nope", 1049, "Unknown database 'nope'"),
        ("create table has (a int)", 1050, "Table 'has' already exists"),
        ("select * from nope", 1146, "Table 'shop.nope' doesn't exist"),
        ("select nope from has", 1054, "Unknown column 'nope' in 'field list'"),
        ("insert into has values (1, 'x')", 1062, "Duplicate entry '1' for key 'PRIMARY'"),
        ("insert into has values (2, null)", 1048, "Column 'b' cannot be null"),
        ("insert into has values (2)", 1136, "Column count doesn't match value count at row 1"),
    ],
)
def test_errors_have_mysqls_codes_and_words(wire: Wire, sql: str, code: int, message: str) -> None:
    wire.query("create table has (a int primary key, b text not null)")
    wire.query("insert into has values (1, 'x')")
    with pytest.raises(ServerFaultError) as caught:
        wire.query(sql)
    assert caught.value.code == code
    assert caught.value.message.startswith(message)


def test_a_wrong_password_is_refused(dsn: Dsn) -> None:
    with pytest.raises(ServerFaultError):
        open_wire(dsn.account(None, "112"))


def test_a_server_that_never_comes_up_tells_the_end_of_its_log() -> None:
    words = ("sh", "-c", "echo it is broken; sleep 600")
    started = time.monotonic()
    with pytest.raises(ServerError, match=r"did not answer within 0\.5 s") as caught:
        make_server("launch", launch=Launch(words), startup=Startup(timeout=0.5)).start()
    assert "it is broken" in caught.value.remedy
    assert time.monotonic() - started < 300
    with pytest.raises(ServerError, match="ended before it answered"):
        make_server("launch", launch=Launch(("sh", "-c", "exit 3")), startup=Startup(timeout=30)).start()


DRIPS = """
import socket, sys, time
peer, _ = socket.create_server(("127.0.0.1", int(sys.argv[1]))).accept()
peer.sendall(b"\\xff\\xff\\xff\\0")
for _ in range(200):
    peer.sendall(b"x")
    time.sleep(0.2)
open(sys.argv[2], "w")
"""


def test_a_server_that_answers_byte_by_byte_is_given_up_in_time(tmp_path: Path) -> None:
    words = (sys.executable, "-c", DRIPS, "{port}", str(tmp_path / "through"))
    with pytest.raises(ServerError, match=r"did not answer within 2 s"):
        make_server("launch", launch=Launch(words), startup=Startup(timeout=2)).start()
    assert not (tmp_path / "through").exists()


SERVE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
print("on {{port}} of {{workspace}}", sys.argv, flush=True)
from workers.servers.embedded import main
sys.exit(main(sys.argv[1:2]))
"""
LAUNCHED = Server(
    provider="launch",
    command=(sys.executable, "{directory}/etc/serve.py", "{port}", "{workspace}", "{unknown}"),
    files={"etc/serve.py": SERVE},
    startup_timeout=60,
)


def test_a_profile_starts_its_server_by_a_command_with_files_of_its_own(dsn: Dsn, tmp_path: Path) -> None:
    workspace = tree(tmp_path, dsn)
    ending, record = run_suite(workspace, LAUNCHED)
    assert ending.state is TaskState.PASSED
    assert ending.reproduce is not None
    assert ending.reproduce.endswith('--dsn "$MO_TESTPLAN_BVT_DSN"')
    [said] = [line for line in record.lines if line.startswith("on ")]
    port, rest = said.removeprefix("on ").split(" of ")
    assert rest.startswith(f"{workspace} [")
    assert f"'{port}', '{workspace}', '{{unknown}}'" in rest
    with pytest.raises(ServerError):  # it is gone
        open_wire(Dsn(port=int(port), password="111"))


def test_cases_run_starts_a_server_by_a_command(dsn: Dsn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    workspace = tree(tmp_path, dsn)
    command = f'{sys.executable} -c "{BOOT.format(str(ROOT))}" {{port}}'
    assert main([str(workspace / "cases"), "--launch", command, "--nometa"]) == EXIT_PASSED
    assert "4 pass" in capfd.readouterr().out
    assert main([str(workspace / "cases"), "--launch", "no 'end"]) == EXIT_USAGE
    assert main([str(workspace / "cases"), "--launch", "/no/such/server {port}"]) == EXIT_INFRASTRUCTURE


def test_a_script_that_is_stopped_while_it_is_recorded_goes_no_further_and_leaves_its_result_file(
    dsn: Dsn, wire: Wire, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "cases" / "a.sql"
    script.parent.mkdir()
    script.write_text("select 1;\ndrop database shop;\ncreate database after_it;\n")
    script.with_suffix(".result").write_text("as it was")
    words = [str(script.parent), "--dsn", str(dsn), "--method", "genrs", "--in-place"]
    assert main(words) == EXIT_FAILED
    assert "1 pass, 0 failed, 0 ignored, 2 abnormal" in capfd.readouterr().out
    assert script.with_suffix(".result").read_text() == "as it was"
    assert main([*words, "--allow-drops"]) == EXIT_PASSED
    assert script.with_suffix(".result").read_text().endswith("create database after_it;\n")


def test_a_report_that_has_no_place_is_said(dsn: Dsn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    workspace = tree(tmp_path, dsn)
    script = workspace / "cases" / "sums" / "add.sql"
    assert main([str(workspace / "cases"), "--dsn", str(dsn), "--report", str(script)]) == EXIT_USAGE
    assert "no report can be written into" in capfd.readouterr().err
    target = script.with_suffix(".result")
    target.unlink()
    target.mkdir()
    assert main([str(script.parent), "--dsn", str(dsn), "--method", "genrs", "--in-place"]) == EXIT_USAGE
    assert [path.name for path in script.parent.iterdir() if path.suffix == ".partial"] == []


def test_a_file_of_a_launched_server_stays_in_its_directory() -> None:
    server = make_server("launch", launch=Launch(("true",), {"../out": "x"}))
    with pytest.raises(UsageError, match="leaves its directory"):
        server.start()
    server.close()


def test_shards_take_turns_at_a_shared_server(dsn: Dsn) -> None:
    first = make_server("dsn", dsn=str(dsn))
    second = make_server("dsn", dsn=str(dsn))
    first.start()
    turn: list[str] = []
    thread = threading.Thread(target=lambda: turn.append(second.start()))
    thread.start()
    thread.join(0.5)
    assert not turn
    first.close()
    thread.join(10)
    assert turn == [str(dsn)]
    second.close()


def test_whoever_makes_the_lock_of_a_shared_server_keeps_no_worker_waiting(
    dsn: Dsn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = make_server("dsn", dsn=str(dsn))
    server.start()
    server.close()
    [lock] = tmp_path.iterdir()
    assert lock.stat().st_mode & 0o777 == 0o644
    lock.unlink()
    os.mkfifo(lock)
    server.start()
    server.close()
    lock.unlink()
    lock.symlink_to("elsewhere")
    with pytest.raises(ServerError, match="cannot be had"):
        server.start()
    server.close()


def test_the_embedded_server_reads_and_writes_no_file(wire: Wire, tmp_path: Path) -> None:
    secret, outside = tmp_path / "secret.csv", tmp_path / "evil.csv"
    secret.write_text("a\nhunter2\n")
    for sql in (f"copy (select 1) to '{outside}'", f"select * from read_csv('{secret}')"):  # noqa: S608
        with pytest.raises(ServerFaultError, match="Cannot access file"):
            wire.query(sql)
    assert not outside.exists()


def test_a_shared_server_whose_turn_never_comes_keeps_no_connection(
    dsn: Dsn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Wire] = []

    def recorded(address: Dsn) -> Wire:
        opened.append(open_wire(address))
        return opened[-1]

    monkeypatch.setattr(shared, "open_wire", recorded)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(ServerError, match="cannot be had"):
        make_server("dsn", dsn=str(dsn)).start()
    assert [wire.closed for wire in opened] == [True]


SQL = (
    "create table t (a int, b double);\ninsert into t values (1, 0.5), (2, 1.5);\n"
    "select a, b from t order by a;\nselect sum(a) as total from t;\n"
)


def tree(folder: Path, dsn: Dsn, wrong: str = "") -> Path:
    """A tree with one category whose results were recorded, one of them then changed."""
    script = folder / "tree" / "cases" / "sums" / "add.sql"
    script.parent.mkdir(parents=True)
    script.write_text(SQL)
    record = Record()
    with Runner(dsn, Options(), _Silent(), threading.Event(), record.lines.append) as runner:
        runner.record(Case(script, "cases/sums/add.sql", folder / "tree"), script.with_suffix(".result"))
    if wrong:
        result = script.with_suffix(".result")
        result.write_text(result.read_text().replace("\n3\n", f"\n{wrong}\n"))
    return folder / "tree"


class _Silent:
    def command(self, result: object) -> None:
        pass

    def script(self, result: object) -> None:
        pass

    def close(self, scripts: object) -> None:
        pass


def run_suite(
    workspace: Path,
    server: Server,
    category: str = "sums",
    cancelled: Callable[[], bool] = lambda: False,
    resources: Resources | None = None,
    **settings: object,
) -> tuple[Ending, Record]:
    record, kept, resources = Record(), resources, resources or Resources()
    profile = Profile(name="p", bvt=Bvt(cases="cases", server=server, **settings))  # type: ignore[arg-type]
    task = TestTask(f"bvt:{category}", Suite.BVT, Priority.HIGH, (), category=category)
    job = replace(make_job(task, profile, workspace, record, cancelled), resources=resources)
    try:
        return BvtSuite(HOST).execute(job), record
    finally:
        if kept is None:
            resources.close()


EMBEDDED = Server(provider="embedded", startup_timeout=30)


def test_the_suite_tells_each_command_and_passes(dsn: Dsn, tmp_path: Path) -> None:
    ending, record = run_suite(tree(tmp_path, dsn), EMBEDDED)
    assert ending.state is TaskState.PASSED
    assert [case.name for case in record.cases] == [f"sums/add.sql:{line}" for line in (1, 2, 3, 4)]
    assert {case.file for case in record.cases} == {"cases/sums/add.sql"}


def test_the_suite_tells_expected_and_actual_of_what_fails(dsn: Dsn, tmp_path: Path) -> None:
    ending, record = run_suite(tree(tmp_path, dsn, wrong="900"), EMBEDDED, metadata=False)
    failed = record.named("sums/add.sql:4")
    assert (ending.state, failed.status, failed.kind) == (TaskState.FAILED, CaseStatus.FAILED, FailureKind.MISMATCH)
    assert failed.expected is not None
    assert failed.actual is not None
    assert "900" in failed.expected
    assert failed.actual.endswith("3")
    assert ending.message == "1 of 4 commands failed: sums/add.sql:4"
    assert (
        ending.reproduce
        == "mo-testplan cases run cases/sums --compare compat --nometa --ignore-issues --server embedded"
    )


def test_what_only_strict_finds_is_told_and_does_not_fail(dsn: Dsn, tmp_path: Path) -> None:
    workspace = tree(tmp_path, dsn)
    result = workspace / "cases" / "sums" / "add.result"
    first, second = "1  ¦  0.5", "2  ¦  1.5"
    text = result.read_text()
    assert f"{first}  \U0001d100\n{second}" in text
    result.write_text(text.replace(f"{first}  \U0001d100\n{second}", f"{second}  \U0001d100\n{first}"))
    ending, record = run_suite(workspace, EMBEDDED, compare="both")
    assert (ending.state, ending.message) == (TaskState.PASSED, "strict alone finds sums/add.sql:3")
    assert [case.name for case in record.cases if case.kind is FailureKind.STRICT] == ["sums/add.sql:3"]
    assert record.named("sums/add.sql:3").status is CaseStatus.PASSED


def test_a_failure_of_characters_that_json_must_escape_is_not_lost(dsn: Dsn, tmp_path: Path) -> None:
    workspace = tree(tmp_path, dsn)
    script = workspace / "cases" / "sums" / "add.sql"
    query = f"select '{chr(1) * 20_000}';"
    script.write_text(query)
    script.with_suffix(".result").write_text(f"{query}\na\n{chr(1) * 20_000}x")
    ending, record = run_suite(workspace, EMBEDDED)
    assert (ending.state, ending.message) == (TaskState.FAILED, "1 of 1 commands failed: sums/add.sql:1")
    assert record.named("sums/add.sql:1").actual is not None


def test_a_script_that_cannot_be_read_fails_and_the_others_run(dsn: Dsn, tmp_path: Path) -> None:
    workspace = tree(tmp_path, dsn)
    (workspace / "cases" / "sums" / "a.sql").symlink_to("nowhere")
    (workspace / "cases" / "sums" / f"{'b' * 250}.sql").write_text("select 1;\n")
    ending, record = run_suite(workspace, EMBEDDED)
    assert (ending.state, ending.message[:24]) == (TaskState.FAILED, "2 of 6 commands failed: ")
    assert "sums/a.sql cannot be read" in record.named("sums/a.sql:1").message
    assert record.named("sums/add.sql:4").status is CaseStatus.PASSED


def test_a_category_the_tree_lacks_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    ending, _ = run_suite(tmp_path / "tree", EMBEDDED, "gone")
    assert ending == Ending(TaskState.SKIPPED, "the tree under test has no cases/gone")


def test_a_category_whose_scripts_are_gone_is_skipped(dsn: Dsn, tmp_path: Path) -> None:
    workspace = tree(tmp_path, dsn)
    (workspace / "cases" / "sums" / "add.sql").unlink()
    ending, record = run_suite(workspace, EMBEDDED)
    assert (ending.state, ending.message) == (TaskState.SKIPPED, "the tree under test has none of these scripts")
    assert record.cases == []


def test_no_server_is_infrastructure(dsn: Dsn, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="no connection"):
        run_suite(tree(tmp_path, dsn), Server(provider="dsn", dsn="mysql://a:b@127.0.0.1:1", startup_timeout=0.1))


def test_a_task_that_loses_the_server_does_not_take_the_rest_of_its_shard_with_it(
    dsn: Dsn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, resources = tree(tmp_path, dsn), Resources()
    servers: list[OwnedServer] = []
    launch = OwnedServer.launch

    def noted(server: OwnedServer, argv: Sequence[str], environment: dict[str, str]) -> str:
        servers.append(server)
        return launch(server, argv, environment)

    monkeypatch.setattr(OwnedServer, "launch", noted)
    try:
        run_suite(workspace, EMBEDDED, resources=resources)
        assert servers[0]._group is not None
        servers[0]._group.signal(signal.SIGKILL)
        with pytest.raises(ServerError):
            run_suite(workspace, EMBEDDED, resources=resources)
        ending, _ = run_suite(workspace, EMBEDDED, resources=resources)
        assert ending.state is TaskState.PASSED
    finally:
        resources.close()


def test_a_cancelled_task_does_not_wait_for_its_statement(dsn: Dsn, tmp_path: Path) -> None:
    workspace = tree(tmp_path, dsn)
    script = workspace / "cases" / "sums" / "add.sql"
    script.write_text("-- @sleep:30\nselect 1;\n")
    script.with_suffix(".result").write_text("select 1;\n1\n1\n")
    asked: list[float] = []

    def cancelled() -> bool:
        if not asked and time.monotonic() > start + 2.0:
            asked.append(time.monotonic())
        return bool(asked)

    start = time.monotonic()
    ending, _ = run_suite(workspace, Server(provider="dsn", dsn=str(dsn)), cancelled=cancelled)
    assert ending.state is TaskState.CANCELLED
    assert time.monotonic() - asked[0] < 20
