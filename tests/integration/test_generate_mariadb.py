"""The gates of generated cases on a real server, which plays the product here; what is written is judged by others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.generation_verified import Verdicts, verify
from orchestrator.cases.dedup_search import Search
from orchestrator.cases.sql.lexer import tokenize
from orchestrator.cli.generate_server import BvtServer, server_of
from orchestrator.domain.errors import ServerError
from orchestrator.generate.cleanup import cleanup
from orchestrator.generate.draft import files_of
from orchestrator.generate.executor import Answer
from orchestrator.generate.judged import on_server
from orchestrator.generate.library import read_script
from orchestrator.generate.publish import write_files
from orchestrator.generate.session import restoring
from orchestrator.generate.terms import Terms
from tests.mariadb import mariadb_server
from tests.unit.generate.factories import make_draft
from workers.bvt.dsn import Dsn
from workers.bvt.session import open_wire
from workers.bvt.wire import ServerFaultError

PATH = "function/gen_1_01_x.test"
DRAFT = make_draft(
    "create table t1 (c_int int)",
    "insert into t1 values (1), (2), (null)",
    "select c_int + 1, uuid() from t1",
    "select nope(c_int), abs(c_int) from t1",
    "select count(*) from nowhere",
    "create user gen_left",
    "select now(6)",
    "drop table t1",
    path=PATH,
)


@pytest.fixture(scope="module")
def dsn() -> Iterator[Dsn]:
    with mariadb_server() as (_, found):
        wire = open_wire(found)
        for sql in ("create database theirs", "create table theirs.t (a int)", "create role r1", "create user joe"):
            wire.query(sql)
        wire.close()
        yield found


@pytest.fixture
def server(dsn: Dsn) -> Iterator[BvtServer]:
    found = BvtServer(dsn)
    yield found
    found.close()


def test_what_is_kept_passes_when_others_run_it_and_leaves_nothing(server: BvtServer, dsn: Dsn, tmp_path: Path) -> None:
    before = server.objects()
    trial = on_server([DRAFT], server, Terms("mariadb", 60), Search(None), lambda line: None)
    assert [one.sql for one in trial.kept[0].statements] == [
        "create table t1 (c_int int)",
        "insert into t1 values (1), (2), (null)",
        "select c_int + 1, uuid() from t1",
        "select abs(c_int) from t1",
        "select now(6)",
        "drop table t1",
    ]
    assert [one.ignore for one in trial.kept[0].statements] == [(), (), (1,), (), (0,), ()]
    assert sorted(one.gate for one in trial.dropped) == ["clean-up", "valid", "valid"]
    assert server.objects() == before
    write_files(tmp_path / "one", files_of(trial.kept, trial.expectations))
    verdicts = Verdicts()
    verify(tmp_path / "one", dsn, verdicts)
    assert (verdicts.scripts, verdicts.expected, verdicts.wrong) == (1, 1, 0)


def test_an_account_that_may_make_no_database_is_said(dsn: Dsn) -> None:
    wire = open_wire(dsn)
    for sql in ("create user weak identified by 'w'", "grant select on mysql.* to weak"):
        wire.query(sql)
    weak = BvtServer(dsn.account("weak", "w"))
    try:
        with pytest.raises(ServerError, match=r"no case can be tried on .* denied"):
            weak.run(["select 1"], "gen_weak")
    finally:
        weak.close()
        wire.query("drop user weak")
        wire.close()


def test_a_file_without_an_expectation_is_judged_by_one_of_its_own(dsn: Dsn, tmp_path: Path) -> None:
    write_files(tmp_path / "one", {"a.test": "select 1;\n", "b.test": "select rand();\n"})
    verdicts = Verdicts()
    verify(tmp_path / "one", dsn, verdicts)
    assert (verdicts.scripts, verdicts.expected) == (2, 0)
    assert {one.partition(":")[0] for one in verdicts.failed} == {"b.test"}


def test_what_stays_on_the_server_is_seen(dsn: Dsn, tmp_path: Path) -> None:
    write_files(tmp_path / "one", {"a.test": "create table if not exists mysql.gen_left (a int);\n"})
    verdicts = Verdicts()
    verify(tmp_path / "one", dsn, verdicts)
    assert any("information_schema.tables" in one for one in verdicts.left)


def test_a_recorded_result_that_is_another_each_time_is_told_by_position(server: BvtServer) -> None:
    recorded = server.recorded({PATH: "select 1;\nselect uuid();\n"})[PATH]
    assert list(recorded.differs) == [1]
    assert recorded.text.startswith("select 1;\n")


def test_a_file_that_ends_in_a_transaction_leaves_nothing_behind(server: BvtServer) -> None:
    before = server.objects()
    server.recorded({PATH: "set autocommit = 0;\ncreate table t (a int);\ninsert into t values (1);\n"})
    assert server.objects() == before


def test_a_session_is_after_the_clean_up_what_it_was_before(server: BvtServer) -> None:
    told = ("sql_mode", "time_zone", "foreign_key_checks", "autocommit", "tx_isolation", "character_set_client")
    asked = f"select {', '.join(f'@@{one}' for one in told)}, @x"
    script = read_script(
        "set sql_mode = 'ANSI';\nset @@session.time_zone = '+01:00', foreign_key_checks = 0;\nset autocommit = 0;\n"
        "set session transaction isolation level serializable;\nset @x = 1;\nset names latin1;\n"
        "create table t1 (a int);\n"
    )
    file = [*(one.sql for one in script.statements), *cleanup(script.statements)]
    begun = "set sql_mode = default"  # the runner's session is strict; MatrixOne's default is, MariaDB's here is not
    _, before, *answers, after = server.run([begun, asked, *file, asked], "gen_1")
    assert all(one.succeeded for one in answers)
    assert (after.rows, len(after.rows)) == (before.rows, 1)
    left = server.run([begun, *(one.sql for one in script.statements), asked], "gen_1")[-1]
    assert all(one != two for one, two in zip(left.rows[0], before.rows[0], strict=True))


def test_each_variable_that_a_session_may_set_goes_back(dsn: Dsn) -> None:
    wire = open_wire(dsn)
    refused = []
    asked = "select lower(variable_name) from information_schema.system_variables where session_value is not null"
    asked += " and read_only = 'NO' and variable_name not like 'wsrep%'"  # those of a cluster, which this is none of
    for (name,) in wire.query(asked).rows:
        for sql in restoring([tokenize(f"set {(name or b'').decode()} = 7")]).last:
            try:
                wire.query(sql)
            except ServerFaultError as fault:
                refused.append(fault.message)
    wire.close()
    assert [one for one in refused if "is read-only" not in one] == []
    assert len(refused) < 10


def test_a_database_of_somebody_else_is_never_used(dsn: Dsn) -> None:
    with server_of(f"mysql://{dsn.user}:{dsn.password}@{dsn.host}:{dsn.port}", "none") as server:
        assert server is not None
        with pytest.raises(ServerError, match="was there before this run"):
            server.run(["select 1"], "theirs")
        with pytest.raises(ServerError, match="is not ours"):
            server.run(["select 1"], "mysql")


def test_objects_of_others_are_not_used_dropped_or_told_of(server: BvtServer) -> None:
    before = server.objects()
    asked = (
        "drop role if exists r1",
        "create user if not exists mine, joe",
        "alter user joe@'%' identified by 'x'",
        "insert into `theirs`.t values (1)",
        "drop database if exists theirs",
        "use theirs",
        "show databases",
        "prepare s1 from 'delete from theirs.t'",
        "execute immediate 'drop role r1'",
        "rename user root@localhost to mine",
    )
    trial = on_server([make_draft("select 1", *asked, path=PATH)], server, Terms("mariadb", 60), Search(None), print)
    assert [one.sql for one in trial.kept[0].statements] == ["select 1"]
    assert {one.gate for one in trial.dropped} == {"policy"}
    assert server.objects() == before
    assert server.run(["select count(*) from t1 as theirs", "select 1 from other.t"], "gen_1")[1].error
    assert server.run(["drop cdc all"], "gen_1")[0].withheld


def test_what_another_client_makes_meanwhile_stays(dsn: Dsn) -> None:
    class Meanwhile(BvtServer):
        def run(self, statements: Sequence[str], database: str) -> list[Answer]:
            wire.query("create database if not exists meanwhile")
            return super().run(statements, database)

    wire = open_wire(dsn)
    found = Meanwhile(dsn)
    try:
        trial = on_server([make_draft("select 1", path=PATH)], found, Terms("mariadb", 60), Search(None), print)
        found.close()
        assert trial.kept
        wire.query("drop database meanwhile")
    finally:
        wire.close()


def test_what_an_interrupted_recording_left_is_dropped(dsn: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    found = BvtServer(dsn)
    before = found.objects()
    monkeypatch.setattr(found, "tidy", lambda left: None)  # as when the signal comes before it
    monkeypatch.setattr("orchestrator.cli.generate_server.time.sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        found.recorded({PATH: "create role gen_role;\nselect 1;\n"})
    assert found.objects() - before
    monkeypatch.undo()
    found.close()
    after = BvtServer(dsn)
    assert after.objects() == before
    after.close()


def test_a_script_whose_database_is_somebody_elses_is_not_recorded(server: BvtServer) -> None:
    recorded = server.recorded({"function/theirs.test": "select 1;\n"})["function/theirs.test"]
    assert (recorded.text, list(recorded.differs)) == ("", [0])
