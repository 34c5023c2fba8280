"""The case runner against a real server: what it judges, what it leaves alone, how it ends."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.rig.processes import lives
from orchestrator.domain.errors import EXIT_CANCELLED, EXIT_INFRASTRUCTURE, CancelledError, ServerError
from tests.mariadb import busy_with, mariadb_server
from tests.require import require
from tests.waiting import until
from workers.bvt import watch
from workers.bvt.cli import main
from workers.bvt.compare import VerdictKind
from workers.bvt.dsn import Dsn
from workers.bvt.execute import Options
from workers.bvt.results import CommandResult, ScriptResult
from workers.bvt.runner import Case, Runner
from workers.bvt.session import open_wire
from workers.bvt.wire import Limits, Wire
from workers.servers import Startup, make_server, mariadb

PASS, FAILED, IGNORED, ABNORMAL = VerdictKind


class Told:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.results: list[CommandResult] = []

    def command(self, result: CommandResult) -> None:
        self.results.append(result)

    def script(self, result: ScriptResult) -> None:
        pass

    def close(self, scripts: object) -> None:
        pass

    @property
    def verdicts(self) -> list[VerdictKind]:
        return [result.verdict for result in self.results]


@pytest.fixture(scope="module")
def dsn() -> Iterator[Dsn]:
    with mariadb_server() as (_, dsn):
        yield dsn


@pytest.fixture
def admin(dsn: Dsn) -> Iterator[Wire]:
    wire = open_wire(dsn)
    yield wire
    wire.close()


def databases(wire: Wire) -> set[str]:
    return {(row[0] or b"").decode() for row in wire.query("show databases").rows}


def write(folder: Path, name: str, sql: str, result: str | None) -> Case:
    path = folder / "cases" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sql, encoding="utf-8")
    if result is not None:
        path.with_suffix(".result").write_text(result, encoding="utf-8")
    return Case(path, f"cases/{name}", folder)


def run(dsn: Dsn, case: Case, options: Options | None = None, stop: threading.Event | None = None) -> Told:
    told = Told()
    with Runner(dsn, options or Options(), told, stop or threading.Event()) as runner:
        runner.run(case)
    return told


def self_made(dsn: Dsn, tmp_path: Path, sql: str, options: Options | None = None) -> Told:
    """Run ``sql`` against what recording it gives."""
    case = write(tmp_path, "made.sql", sql, None)
    with Runner(dsn, options or Options(), Told(), threading.Event()) as runner:
        runner.record(case, case.file.with_suffix(".result"))
    return run(dsn, case, options)


def test_verdicts_name_the_line_and_tell_expected_and_actual(dsn: Dsn, tmp_path: Path) -> None:
    sql = "create table t(a int);\ninsert into t values (1),\n(2);\nselect a from t;\nselect * from nope;\n"
    expected = (
        "create table t(a int);\ninsert into t values (1),\n(2);\n"
        "select a from t;\na\n1\n3\nselect * from nope;\nTable 'v.nope' doesn't exist\n"
    )
    told = run(dsn, write(tmp_path, "v.sql", sql, expected))
    assert [(result.line, result.verdict) for result in told.results] == [(1, PASS), (3, PASS), (4, FAILED), (5, PASS)]
    failed = told.results[2]
    assert failed.expected == "a\n1\n3"
    assert failed.actual is not None
    assert failed.actual.splitlines()[-1] == "2"


def test_a_missing_or_foreign_result_file_makes_every_command_abnormal(dsn: Dsn, tmp_path: Path) -> None:
    missing = run(dsn, write(tmp_path, "m.sql", "select 1;\nselect 2;\n", None))
    foreign = run(dsn, write(tmp_path, "f.sql", "select 1;\nselect 2;\n", "select 3;\n3\n"))
    assert missing.verdicts == foreign.verdicts == [ABNORMAL, ABNORMAL]
    assert "has no result file" in missing.results[0].reason
    assert "does not exist in result file" in foreign.results[0].reason


def test_what_is_recorded_passes_when_it_is_run(dsn: Dsn, tmp_path: Path) -> None:
    sql = (
        "create table t(a int primary key, b double, c text, d time(3), e bit(4), f year, g blob, h json);\n"
        "insert into t values (1, 1e20, 'x\ny', '-01:00:00.5', 5, 2020, x'ff00', '{}'),\n"
        "(2, null, '', null, null, null, null, null);\n"
        "select * from t;\nselect a from t where a > 5;\ninsert into t(a) values (1);\n"
        "select '\t' as tab, '    ' as blanks, 'é😀' as wide;\ndrop table t;\n"
    )
    told = self_made(dsn, tmp_path, sql, Options(compare="both"))
    assert set(told.verdicts) == {PASS}
    assert [result.findings for result in told.results if result.findings] == []


def test_sessions_see_each_others_transactions_and_ids_keep_their_account(dsn: Dsn, tmp_path: Path) -> None:
    sql = (
        "create table t(a int);\nbegin;\ninsert into t values (1);\n"
        "-- @session:id=1{\nuse made;\nselect count(*) from t;\n-- @session}\ncommit;\n"
        "-- @session:id=1&user=nobody&password=x{\nselect count(*) from t;\n-- @session}\n"
        "-- @session:id=2&user=nobody&password=x{\nselect 1;\n-- @session}\nselect 2;\n"
    )
    told = self_made(dsn, tmp_path, sql)
    assert told.verdicts == [PASS] * 7 + [ABNORMAL, PASS]
    assert "refuses the account 'nobody'" in told.results[7].reason


def test_wait_ends_the_other_transaction_first(dsn: Dsn, tmp_path: Path) -> None:
    sql = (
        "create table t(a int primary key);\nbegin;\ninsert into t values (1);\n"
        "-- @session:id=1{\nuse made;\n-- @wait:0:commit\nselect a from t for update;\n-- @session}\n"
    )
    told = self_made(dsn, tmp_path, sql, Options(wait_time=0.1, statement_timeout=5))
    assert set(told.verdicts) == {PASS}


def test_wait_expect_tries_until_the_result_is_the_expected_one(dsn: Dsn, tmp_path: Path) -> None:
    sql = "set @n = 0;\n-- @wait_expect(1, 5)\nselect @n := @n + 1 as n;\n"
    case = write(tmp_path, "w.sql", sql, "set @n = 0;\nselect @n := @n + 1 as n;\nn\n2\n")
    assert run(dsn, case, Options(metadata=False)).verdicts == [PASS, PASS]


def test_a_statement_past_its_deadline_costs_one_command(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    sql = "select 1;\nselect sleep(250);\nselect database();\n"
    case = write(
        tmp_path, "slow.sql", sql, "select 1;\n1\n1\nselect sleep(250);\nx\n0\nselect database();\ndatabase()\nslow\n"
    )
    started = time.monotonic()
    told = run(dsn, case, Options(statement_timeout=2, metadata=False))
    assert told.verdicts == [PASS, ABNORMAL, PASS]
    assert "no answer in 2 s" in told.results[1].reason
    assert time.monotonic() - started < 240
    assert not busy_with(admin, "sleep")


def test_a_server_that_is_slow_to_let_us_in_ends_the_statement_all_the_same(
    dsn: Dsn, tmp_path: Path, admin: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(dsn: Dsn, *, connect_timeout: float) -> Wire:
        if connect_timeout < 1:
            raise ServerError("timed out")
        return Wire(dsn, connect_timeout=connect_timeout)

    monkeypatch.setattr(watch, "Wire", slow)
    expected = "select sleep(250);\nx\n0\nselect 1;\n1\n1\n"
    case = write(tmp_path, "slow.sql", "select sleep(250);\nselect 1;\n", expected)
    assert run(dsn, case, Options(statement_timeout=0.5, metadata=False)).verdicts == [ABNORMAL, PASS]
    assert not busy_with(admin, "sleep")


def test_a_script_past_its_time_is_stopped(dsn: Dsn, tmp_path: Path) -> None:
    case = write(tmp_path, "long.sql", "select sleep(9);\nselect 1;\n", "select sleep(9);\nx\n0\nselect 1;\n1\n1\n")
    told = run(dsn, case, Options(script_timeout=0.3, metadata=False))
    assert told.verdicts == [ABNORMAL, ABNORMAL]
    assert "the script has used up its 0.3 s" in told.results[1].reason


def test_an_endless_result_set_costs_one_command_and_bounded_memory(dsn: Dsn, tmp_path: Path) -> None:
    sql = "select seq from seq_1_to_100000000;\nselect 1;\n"
    case = write(tmp_path, "endless.sql", sql, "select seq from seq_1_to_100000000;\nseq\n1\nselect 1;\n1\n1\n")
    told = run(dsn, case, Options(limits=Limits(rows=1000)))
    assert told.verdicts == [ABNORMAL, PASS]
    assert "more than 1000 rows" in told.results[0].reason


def test_a_cancel_in_mid_statement_ends_the_run_and_the_statement(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    sql = "create database side;\nselect sleep(250);\nselect 1;\n"
    case = write(tmp_path, "cancelled.sql", sql, sql)
    stop, ended = threading.Event(), threading.Event()

    def execute() -> None:
        with pytest.raises(CancelledError):
            run(dsn, case, stop=stop)
        ended.set()

    thread = threading.Thread(target=execute)
    thread.start()
    until(lambda: busy_with(admin, "sleep"))
    stop.set()
    thread.join(20)  # the statement would take 250; how soon it ends is measured: benchmarks/bvt/cancelling.py
    assert ended.is_set()
    assert not databases(admin) & {"cancelled", "side"}
    assert not busy_with(admin, "sleep")


def test_only_what_the_script_made_is_dropped(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    admin.query("create database precious")
    sql = "create database left_behind;\ncreate user somebody;\ndrop database precious;\nselect 1;\n"
    told = run(dsn, write(tmp_path, "bold.sql", sql, sql))
    assert told.verdicts == [PASS, PASS, ABNORMAL, ABNORMAL]
    assert "it drops the database 'precious'" in told.results[2].reason
    assert databases(admin) & {"precious", "left_behind", "bold"} == {"precious"}
    assert admin.query("select user from mysql.user where user = 'somebody'").rows == []
    admin.query("create table precious.t (a int)")
    told = run(dsn, write(tmp_path, "sly.sql", "use precious;\ndrop table t;\n", "use precious;\ndrop table t;\n"))
    assert told.verdicts == [PASS, ABNORMAL]
    told = run(dsn, write(tmp_path, "precious.sql", "select 1;\n", "select 1;\n1\n1\n"))
    assert told.verdicts == [ABNORMAL]
    told = run(dsn, write(tmp_path, "bold.sql", sql, sql), Options(allow_drops=True))
    assert told.verdicts == [PASS, PASS, PASS, ABNORMAL]
    assert "precious" not in databases(admin)


def test_a_role_of_somebody_else_is_not_dropped(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    admin.query("create role clerk")
    sql = "create role mine;\ncreate role mine_too;\ndrop role clerk;\n"
    told = run(dsn, write(tmp_path, "roles.sql", sql, sql), Options(drop_made=True))
    assert told.verdicts == [PASS, PASS, ABNORMAL]
    assert "it drops the role 'clerk'" in told.results[2].reason
    assert admin.query("select user from mysql.user where is_role = 'Y' and user != 'PUBLIC'").rows == [[b"clerk"]]
    admin.query("drop role clerk")


@pytest.mark.parametrize(
    "sql",
    [
        "drop role clerk -- of somebody\n;\n", "drop database precious # x\n;\n", "/*!40000 drop role clerk */;\n",
        "/*M!100100 drop database precious */;\n", "create or replace role clerk;\n", "drop user dump;\n",
        "execute immediate 'drop database precious';\n", "delete from precious.t;\n", "drop user current_user();\n",
        "/*!40000 use precious */;\ndelete from t;\n", "select {fn 1};\ndrop database {fn precious};\n",
    ],
)  # fmt: skip
def test_no_spelling_takes_away_what_is_somebodys(dsn: Dsn, tmp_path: Path, admin: Wire, sql: str) -> None:
    for own in ("create role if not exists clerk", "create or replace database precious"):
        admin.query(own)
    admin.query("create table precious.t select 1 as a")
    try:
        told = run(dsn, write(tmp_path, "sly.sql", sql, sql), Options(drop_made=True))
        assert "which was there before this run" in told.results[-1].reason
        assert admin.query("select a from precious.t").rows == [[b"1"]]
        users = admin.query("select user from mysql.user where user in ('clerk', 'dump') group by user").rows
        assert users == [[b"clerk"], [b"dump"]]
    finally:
        admin.query("drop role if exists clerk")
        admin.query("drop database if exists precious")


def test_what_another_client_made_meanwhile_stays(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    sql = "-- @sleep:1\ncreate database ours_alone;\n"
    thread = threading.Timer(0.5, lambda: admin.query("create database somebody_elses"))
    thread.start()
    assert run(dsn, write(tmp_path, "meanwhile.sql", sql, "create database ours_alone;\n")).verdicts == [PASS]
    thread.join()
    assert databases(admin) & {"ours_alone", "somebody_elses", "meanwhile"} == {"somebody_elses"}
    admin.query("drop database somebody_elses")


def test_system_commands_run_only_when_allowed_and_end_with_a_cancel(dsn: Dsn, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    sql = f"-- @system touch {mark}\ncreate table t(a int);\n"
    case = write(tmp_path, "shell.sql", sql, "create table t(a int);\n")
    run(dsn, case)
    assert not mark.exists()
    run(dsn, case, Options(allow_system=True))
    assert mark.exists()
    sleeper = write(tmp_path, "shell.sql", "-- @system sleep 250\nselect 1;\n", "select 1;\n")
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        run(dsn, sleeper, Options(allow_system=True), stop)
    assert time.monotonic() - started < 240


def test_a_reset_drops_every_foreign_database_first(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    admin.query("create database somebodys")
    run(dsn, write(tmp_path, "r.sql", "select 1;\n", "select 1;\n1\n1\n"), Options(reset=True))
    assert databases(admin) == {"information_schema", "mysql", "performance_schema", "sys"}


def test_after_a_reset_run_nothing_of_its_scripts_is_left(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    admin.query("create user if not exists was_there")
    sql = "create database left_behind;\ncreate user made_here;\ndrop user was_there;\ncreate user was_there;\n"
    sql += "create role made_role;\n"
    told = run(dsn, write(tmp_path, "r.sql", sql, sql), Options(reset=True))
    assert told.verdicts == [PASS] * 5
    assert "left_behind" not in databases(admin)
    users = admin.query("select user from mysql.user where user in ('was_there', 'made_here', 'made_role')").rows
    assert users == [[b"was_there"]]
    admin.query("drop user was_there")


def test_local_files_are_loaded_only_when_the_statement_names_them(dsn: Dsn, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1\n2\n")
    sql = (
        "create table t(a int);\nload data local infile '$resources/data.csv' into table t;\nselect sum(a) from t;\n"
        "load data local infile '$resources/none.csv' into table t;\n"
    )
    told = self_made(dsn, tmp_path, sql, Options(resources=str(tmp_path)))
    recorded = (tmp_path / "cases" / "made.result").read_text(encoding="utf-8")
    assert "\n3\n" in recorded
    assert "Unable to open file" in recorded
    assert told.verdicts[:3] == [PASS] * 3


def test_statements_beyond_the_servers_limit_fail_alone(dsn: Dsn, tmp_path: Path) -> None:
    big = "select length('" + "x" * 20_000_000 + "');"
    told = self_made(dsn, tmp_path, f"select length('{'y' * 5_000_000}');\n{big}\nselect 1;\n")
    assert told.verdicts == [PASS, PASS, PASS]
    assert "Packet for query is too large" in (tmp_path / "cases" / "made.result").read_text(encoding="utf-8")


def test_a_deadlock_between_sessions_is_an_error_like_any_other(dsn: Dsn, tmp_path: Path) -> None:
    sql = (
        "create table t(a int primary key, b int);\ninsert into t values (1,0),(2,0);\n"
        "set innodb_lock_wait_timeout = 1;\nbegin;\nupdate t set b = 1 where a = 1;\n"
        "-- @session:id=1{\nuse made;\nset innodb_lock_wait_timeout = 1;\nbegin;\n"
        "update t set b = 1 where a = 2;\nupdate t set b = 1 where a = 1;\n-- @session}\nrollback;\n"
    )
    told = self_made(dsn, tmp_path, sql)
    assert set(told.verdicts) == {PASS}
    assert "Lock wait timeout exceeded" in (tmp_path / "cases" / "made.result").read_text(encoding="utf-8")


def test_a_wrong_password_ends_the_run_naming_the_account(dsn: Dsn, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="refuses the account 'dump'"):
        run(dsn.account(None, "wrong"), write(tmp_path, "p.sql", "select 1;\n", ""))


def test_a_server_that_dies_in_mid_run_ends_it_at_once(tmp_path: Path) -> None:
    with mariadb_server() as (server, dsn):
        sql = "select sleep(20);\n" + "select 1;\n" * 50
        case = write(tmp_path, "dies.sql", sql, sql)
        killer = threading.Timer(1.0, server.close)
        killer.start()
        with pytest.raises(ServerError, match="the server is lost"):
            run(dsn, case)
        killer.join()


def program(*words: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "workers.bvt", *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])


def test_the_program_streams_json_lines_and_ends_with_the_verdict(
    dsn: Dsn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a/x.sql", "select 1;\nselect 2;\n", "select 1;\n1\n1\nselect 2;\n2\n9\n")
    write(tmp_path, "b.test", "-- @bvt:issue#7\nselect 3;\n-- @bvt:issue\n", "select 3;\n")
    words = [str(tmp_path / "cases"), "--dsn", str(dsn), "--format", "jsonl", "--report", str(tmp_path / "report")]
    assert main([*words, "--ignore-issues", "--compare", "both"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["path"], row["line"], row["verdict"], row["strict"]) for row in rows] == [
        ("cases/a/x.sql", 1, "PASS", "PASS"),
        ("cases/a/x.sql", 2, "FAILED", "FAILED"),
        ("cases/b.test", 2, "IGNORED", None),
    ]
    assert rows[1]["expected"] == "2\n9"
    report = (tmp_path / "report" / "report.txt").read_text()
    assert "TOTAL :3, SUCCESS : 1, FAILED :1, IGNORED :1, ABNORAML :0, SUCCESS RATE : 50%" in report
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {
        "error.txt",
        "success.txt",
        "index.html",
        "junit.xml",
    }
    assert main([*words, "--ignore-issues", "--rate", "50"]) == 0


def test_the_program_cancels_on_term(dsn: Dsn, tmp_path: Path, admin: Wire) -> None:
    write(tmp_path, "termed.sql", "select sleep(250);\n", "select sleep(250);\n")
    process = program(str(tmp_path / "cases"), "--dsn", str(dsn))
    until(lambda: busy_with(admin, "sleep"))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == EXIT_CANCELLED
    assert "termed" not in databases(admin)


def test_no_server_is_an_infrastructure_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "x.sql", "select 1;\n", "")
    assert main([str(tmp_path / "cases"), "--dsn", "mysql://dump:111@127.0.0.1:1"]) == EXIT_INFRASTRUCTURE
    assert "no connection to 127.0.0.1:1" in capsys.readouterr().err


def test_two_servers_share_the_scripts_and_groups_stay_together(
    dsn: Dsn, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    both, begun = threading.Barrier(2, timeout=120), set[Runner]()
    run_case = Runner.run

    def run_when_both_take_part(runner: Runner, case: Case) -> ScriptResult:
        if runner not in begun:
            begun.add(runner)
            both.wait()
        return run_case(runner, case)

    monkeypatch.setattr(Runner, "run", run_when_both_take_part)
    with mariadb_server() as (_, second):
        for name in ("one/a", "one/b", "two/c", "x", "y", "z"):
            sql = "select @@port;\n"
            write(tmp_path, f"{name}.sql", sql, f"{sql}port\tnone\n")
        words = [str(tmp_path / "cases"), "--dsn", str(dsn), "--dsn", str(second), "--format", "json", "--rate", "0"]
        assert main([*words, "--order-group", "one,two"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [script["path"] for script in document["scripts"]] == [
        "cases/one/a.sql", "cases/one/b.sql", "cases/two/c.sql", "cases/x.sql", "cases/y.sql", "cases/z.sql",
    ]  # fmt: skip
    ports = {row["path"]: int(re.findall(r"\d{4,}", row["actual"])[0]) for row in document["commands"]}
    assert set(ports.values()) == {dsn.port, second.port}
    assert len({ports[f"cases/{name}.sql"] for name in ("one/a", "one/b", "two/c")}) == 1


def test_a_server_starts_below_a_folder_whose_path_no_socket_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with mariadb_server() as (_, dsn):
        open_wire(dsn).close()
        assert list(deep.iterdir())
    assert not list(deep.iterdir())


def test_a_cancel_does_not_wait_for_a_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "install"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setattr(mariadb, "_program", lambda *_: str(slow))
    server = make_server("mariadb", startup=Startup(60.0, (tmp_path / "pid").exists))
    with pytest.raises(CancelledError):
        server.start()
    assert not lives(int((tmp_path / "pid").read_text()))


def test_a_private_server_dies_with_the_process_that_started_it() -> None:
    require("mariadb")
    code = (
        "import time; from workers.servers import make_server; s = make_server('mariadb'); d = s.start();"
        "print(s._group.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    assert until(lambda: not lives(pid), "the server ends")
