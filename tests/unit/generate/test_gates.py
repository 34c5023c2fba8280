from pathlib import Path

import pytest

from orchestrator.cases.corpus import Corpus
from orchestrator.cases.dedup_search import Search
from orchestrator.generate.draft import Draft, Written
from orchestrator.generate.executor import Answer
from orchestrator.generate.gates import static_gates
from orchestrator.generate.metamorphic import check
from orchestrator.generate.terms import Terms
from orchestrator.generate.treecopy import TreeCopy
from orchestrator.generate.trial import try_drafts
from tests.unit.generate.factories import CASES, ScriptedServer, make_draft, make_inputs

TERMS = Terms("matrixone")
ROWS = Answer(("a", "b"), (("1", "x"), ("2", "y")))


@pytest.mark.parametrize(
    "sql",
    [
        "drop database mo_catalog",
        "drop database if exists `mysql`",
        "drop database query_result",
        "drop/* a */database\n-- b\nmysql",
        "drop database /*!32312 if exists*/ mysql",
        "insert into performance_schema.t values (1)",
        "delete from mo_catalog.mo_user",
        "drop account sys",
        "set global max_dop = 1",
        "select 1 into outfile '/tmp/x'",
        "create stage s url = 's3://bucket/x'",
        "kill 1",
        "select mo_ctl('dn', 'AddFaultPoint', 'enable_fault_injection')",
        "select mo_ctl('cn','addfaultpoint','x.:::.panic.0.')",
        "select sleep(1000)",
        "select load_file('/etc/passwd')",
        "load data infile '/etc/passwd' into table t",
        "load data infile '$resources/../../x.csv' into table t",
        "create stage s url = 'file:///etc/'",
        "select 1 into dumpfile '/tmp/x'",
        "set @@GLOBAL.max_dop := 1",
        "set session a = 1, global max_dop = 2",
        "set persist `max_dop` = 1",
        "set @@persist.max_dop = 1",
        "set password = '1'",
        "create cdc c 'mysql://u:p@elsewhere:3306' 'mysql' 'mysql://u:p@elsewhere:3306' 'a.b:a.b' {'Level' = 'table'}",
        "replace into mo_catalog.mo_user values (1)",
        "alter table mo_catalog.mo_user drop column a",
        "alter user root identified by '1'",
        "alter account sys suspend",
        "prepare s from 'drop database mysql'",
        "create procedure p() 'begin delete from mysql.user; end'",
        "create procedure p() begin set global max_dop = 1",
        "insert mysql.user values (1)",
        "insert ignore into mysql.user values (1)",
        "replace `mysql`.user values (1)",
        "update ignore mysql.user set a = 1",
        "delete u from mysql.user u",
        "with a as (select 1) delete from mysql . user",
        "explain analyze delete from mysql.user",
        "rename table mysql.user to t",
        "drop table if exists t, mysql.user",
        "drop view mysql.x",
        "drop table `select`, clone, mysql.user",
        "create or replace table mysql.t (a int)",
        "create unique index i on mysql.user (a)",
        "drop index i on mysql.user",
        "load data infile '$resources/x' into table mysql.user",
        "lock tables mysql.user write",
        "set @@global . x = 1",
        "set session a = 1, @@ persist.b = 2",
        "set global transaction isolation level serializable",
        "flush tables with read lock",
        "/*!50000 reset */ master",
        "purge binary logs to 'x'",
        "change master to master_host = 'x'",
        "prepare s from 'stop slave'",
        "install plugin x soname 'x.so'",
        "create function f returns string soname 'x.so'",
        "create server s foreign data wrapper mysql options (host 'x')",
        "set password to random",
        "set password for 'root'@'localhost' = '1'",
        "alter user current_user() identified by '1'",
        "rename user root@localhost to x",
        "create or replace user root identified by '1'",
        "create or replace role moadmin",
        "drop role mine, accountadmin",
        "grant mine to public",
        "create procedure p() begin grant create, drop on *.* to root",
        "create procedure p() create or replace user root identified by '1'",
    ],
)
def test_what_policy_forbids_is_never_let_through(sql: str) -> None:
    kept, dropped = static_gates([make_draft(sql, "select 1")], Search(None))
    assert not kept
    assert dropped[0].gate == "policy"


@pytest.mark.parametrize(
    "sql",
    [
        "load data infile '$resources/load_data/a.csv' into table t",
        "create stage s url = 'file:///$resources/into_outfile/stage'",
        "load data infile {'filepath'='$resources/load_data/a.csv', 'format'='csv'} into table t",
        "load data infile 'stage://st/a.csv' into table t",
        "select cast('file://xxx' as datalink)",
        "select mo_ctl('dn', 'flush', 'd.t')",
        "select sleep(1)",
        "alter account acc1 suspend",
        "set session max_dop = 2",
        "set @old = @@global.max_dop",
        "start transaction read only",
        "reset prepare s",
        "create table server (a int, soname int)",
        "select server from t",
        "insert into t values ('stop words'), ('start here'), ('change of mind')",
        "select * from mo_catalog.mo_user",
        "show create database mo_catalog",
        "show create table mo_catalog.mo_user",
        "create table t as select * from mo_catalog.mo_user",
        "create table t like mo_catalog.mo_user",
        "create table t clone mo_catalog.mo_user {snapshot = 's'}",
        "insert into t select user_name from mo_catalog.mo_user",
        "delete from t where a in (select user_id from mo_catalog.mo_user)",
        "update t set password = 'x', a = (select count(*) from mo_catalog.mo_user)",
        "grant select, insert on table mo_catalog.mo_user to mine",
        "grant public to mine",
        "select @@global.max_dop = 1",
        "create database `drop table system.t`",
        "insert into t values ('please update system tables')",
        "create user mine identified by 'x' default role public",
        "alter publication p account sys",
        "select * from mo_catalog.mo_user where user_name = 'root' for update",
    ],
)
def test_what_cases_of_the_tree_do_every_day_is_let_through(sql: str) -> None:
    kept, _ = static_gates([make_draft(sql, "select 1")], Search(None))
    assert kept


@pytest.mark.parametrize(
    "statements",
    [
        ("set @s = concat('drop database ', 'mysql')", "prepare s from @s"),
        ("set @s = 'select 1'", "set @s = concat('drop ', 'user joe')", "prepare s from @s"),
        ("set @a = 'drop user ', @b = 'joe'", "set @s = concat(@a, @b)", "prepare s from @s"),
        ("set @s = unhex('64726f70')", "prepare s from @s"),
        ("set @s = concat('select a from t where b = ', @what)", "prepare s from @s"),
        ("set @s = concat('select * from t in', 'to outfile '/tmp/x'')", "prepare s from @s"),
        ("set @s = concat('select 1; ', 'drop table u')", "prepare s from @s"),
        ("select replace('drep user joe', 'e', 'o') into @s", "prepare s from @s"),
        ("select @s := lower('DROP USER JOE')", "prepare s from @s"),
        ("prepare p from 'set @s = concat(''drop '', ''user joe'')'", "set @s = 'select 1'", "prepare s from @s"),
        ("prepare s from @never_set",),
        ("execute immediate concat('drop user ', 'joe')",),
        ("create procedure p() begin set @s = lower('X')", "prepare s from @s", "end"),
    ],
)
def test_a_text_that_is_put_together_and_executed_may_only_read(statements: tuple[str, ...]) -> None:
    kept, dropped = static_gates([make_draft(*statements, "select 1")], Search(None))
    assert not kept
    assert (dropped[0].gate, "put together" in dropped[0].reason) == ("policy", True)


@pytest.mark.parametrize(
    "statements",
    [
        ("set @s = 'insert into t values (?)'", "prepare s from @s", "set @a = concat('drop ', 'x')"),
        ("set @s = concat('select count(*) from `', (select name from x), '`')", "PREPARE s FROM @S"),
        ("set @a = 'select 1'", "set @s = concat(@a, ' from t')", "prepare s from @s"),
        ("prepare s from 'delete from t where a = ?'", "set @a = 1", "execute s using @a"),
        ("prepare s from insert into t values (?)", "set @a = 1", "execute s using @a"),
        ("select prepare, immediate from t",),
    ],
)
def test_a_text_that_is_read_as_a_whole_is_let_through(statements: tuple[str, ...]) -> None:
    kept, _ = static_gates([make_draft(*statements, "select 1")], Search(None))
    assert kept


def test_nothing_is_changed_in_a_database_of_the_server_that_a_file_uses() -> None:
    reads = make_draft("use mo_catalog", "select * from mo_user", "use mine", "create table t (a int)")
    writes = make_draft("use `mysql`", "select 1", "Drop table user")
    hidden = make_draft("/*!1 use mysql */", "prepare s from 'delete from user'", "execute s")
    common = make_draft("use mysql", "with a as (select 1) delete from user")
    explained = make_draft("use mysql", "explain analyze delete from user")
    kept, dropped = static_gates([reads, writes, hidden, common, explained], Search(None))
    assert kept == [reads]
    assert [one.gate for one in dropped] == ["policy"] * 4


def test_a_statement_that_reads_back_as_two_breaks_the_format() -> None:
    _, dropped = static_gates([make_draft("select 1;\nselect 2")], Search(None))
    assert dropped[0].gate == "format"


def test_a_case_of_the_tree_is_dropped_and_so_is_the_second_of_two_equal_ones() -> None:
    library = make_inputs().library
    copied = CASES["function/ascii.sql"].strip().split(";\n")
    drafts = [
        make_draft(*(one.rstrip(";") for one in copied), path="function/gen_1.test"),
        make_draft("create table n (a int)", "select a + 1 from n", "drop table n", path="function/gen_2.test"),
        make_draft("create table m (b int)", "select b + 1 from m", "drop table m", path="function/gen_3.test"),
    ]
    with TreeCopy() as copy:
        kept, dropped = static_gates(drafts, Search(copy.at(library)))
    assert [draft.path for draft in kept] == ["function/gen_2.test"]
    assert [one.gate for one in dropped] == ["duplicate", "duplicate"]


def test_the_copy_of_the_tree_follows_what_changes(tmp_path: Path) -> None:
    with TreeCopy() as copy:
        first = copy.at(make_inputs().library)
        assert isinstance(first, Corpus)
        assert copy.at(make_inputs(cases={}).library) is None


def test_a_column_that_differs_between_two_runs_is_not_compared() -> None:
    other = Answer(("a", "b"), (("1", "p"), ("2", "q")))
    server = ScriptedServer({"select a, b from t": (ROWS, other)})
    trial = try_drafts([make_draft("create table t (a int)", "select a, b from t", "drop table t")], server, TERMS)
    assert trial.kept[0].statements[1].ignore == (1,)
    assert "-- @ignore:1" in trial.kept[0].text


def test_a_result_with_another_number_of_rows_each_time_is_dropped() -> None:
    server = ScriptedServer({"select a from t": (ROWS, Answer(("a", "b"), (("1", "x"),)))})
    trial = try_drafts([make_draft("create table t (a int)", "select a from t", "drop table t")], server, TERMS)
    assert [one.gate for one in trial.dropped] == ["stable"]
    assert len(trial.kept[0].statements) == 2


def test_a_query_loses_what_the_server_does_not_know_and_keeps_the_rest() -> None:
    wrong = Answer(error="unknown function: nope")
    server = ScriptedServer({"select abs(1), nope(1)": wrong, "select nope(1)": wrong, "select abs(1)": ROWS})
    trial = try_drafts([make_draft("select abs(1), nope(1)")], server, TERMS)
    assert [one.sql for one in trial.kept[0].statements] == ["select abs(1)"]


def test_an_error_of_the_product_is_an_expectation_and_of_another_server_it_is_not() -> None:
    refused = {"select f(1)": Answer(error="not supported: f over int")}
    draft = make_draft("create table t (a int)", "select f(1)", "drop table t")
    assert len(try_drafts([draft], ScriptedServer(refused), TERMS).kept[0].statements) == 3
    foreign = try_drafts([draft], ScriptedServer(refused, version="10.11-MariaDB"), TERMS)
    assert [one.gate for one in foreign.dropped] == ["foreign"]


@pytest.mark.parametrize("answer", [Answer(error="internal error: nil pointer"), Answer(lost=True)])
def test_a_crash_is_a_finding_and_no_expectation(answer: Answer) -> None:
    trial = try_drafts([make_draft("create table t (a int)", "select 1")], ScriptedServer({"select 1": answer}), TERMS)
    assert trial.findings[0].sql == "select 1"
    assert [one.sql for one in trial.kept[0].statements] == ["create table t (a int)"]


def test_what_stands_beside_a_broken_expression_stays() -> None:
    broken = Answer(error="internal error: cosine similarity zero denominator")
    server = ScriptedServer({"select abs(1), far(1)": broken, "select far(1)": broken, "select abs(1)": ROWS})
    trial = try_drafts([make_draft("select abs(1), far(1)")], server, TERMS)
    assert len(trial.findings) == 1
    assert [one.sql for one in trial.kept[0].statements] == ["select abs(1)"]


def test_an_error_stands_alone_as_far_as_the_budget_has_room() -> None:
    wrong = Answer(error="invalid argument function far, bad value 1")
    server = ScriptedServer(
        {
            "select abs(1), far(1), far(2)": wrong,
            "select far(1)": wrong,
            "select far(2)": wrong,
            "select abs(1)": ROWS,
        }
    )
    trial = try_drafts([make_draft("select abs(1), far(1), far(2)")], server, Terms("matrixone", budget=2))
    assert [one.sql for one in trial.kept[0].statements] == ["select abs(1)", "select far(1)"]
    assert [(one.gate, one.reason[:13]) for one in trial.dropped] == [("budget", "select far(2)")]


def test_columns_that_are_not_compared_follow_their_expression_when_a_query_is_shortened() -> None:
    wrong = Answer(error="unknown function: nope")
    server = ScriptedServer({"select nope(1), now(), abs(1)": wrong, "select nope(1)": wrong})
    draft = make_draft("create table t (a int)", "select nope(1), now(), abs(1)")
    left = try_drafts([draft], server, TERMS).kept[0].statements[1]
    assert (left.sql, left.ignore) == ("select abs(1), now()", (1,))


def test_a_column_that_differs_in_each_row_is_brought_behind_those_that_sort_the_rows() -> None:
    first, second = (Answer(("f(a)", "a"), ((f"{run}1", "x"), (f"{run}0", "y"))) for run in "pq")
    server = ScriptedServer({"select f(a), a from t1": (first, second), "select a, f(a) from t1": Answer()})
    trial = try_drafts([make_draft("create table t1 (a int)", "select f(a), a from t1")], server, TERMS)
    left = trial.kept[0].statements[1]
    assert (left.sql, left.ignore) == ("select a, f(a) from t1", (1,))


def test_the_same_breakage_is_found_once() -> None:
    broken = [Answer(error=f"internal error: division {number} failed") for number in (1, 2)]
    server = ScriptedServer({"select f(1)": broken[0], "select f(2)": broken[1]})
    trial = try_drafts([make_draft("create table t (a int)", "select f(1)", "select f(2)")], server, TERMS)
    assert [one.sql for one in trial.findings] == ["select f(1)"]
    assert [one.gate for one in trial.dropped] == ["finding", "finding"]


def test_a_file_of_which_only_the_set_up_is_left_is_dropped() -> None:
    server = ScriptedServer({"select nope(a) from t": Answer(error="unknown function: nope")})
    written = (Written("create table t (a int)"), Written("select nope(a) from t", "nope"), Written("drop table t"))
    trial = try_drafts([Draft("function/gen_1_01_x.test", "a draft", written, "functions")], server, TERMS)
    assert not trial.kept
    assert trial.dropped[-1].gate == "server"


def test_a_connection_that_is_lost_once_only_is_no_finding() -> None:
    server = ScriptedServer({"select 1": [Answer(lost=True), ROWS]})
    trial = try_drafts([make_draft("create table t (a int)", "select 1")], server, TERMS)
    assert not trial.findings
    assert [one.gate for one in trial.dropped] == ["stable"]


def test_what_leaves_something_is_dropped_and_tidied() -> None:
    server = ScriptedServer({})
    trial = try_drafts([make_draft("create account acc1", "select 1", "alter account acc1 open")], server, TERMS)
    assert [one.sql for one in trial.kept[0].statements] == ["select 1"]
    assert [one.gate for one in trial.dropped] == ["clean-up", "clean-up"]
    assert server.tidied == {"account acc1"}


def test_what_an_interrupted_run_left_is_tidied() -> None:
    class Stopped(ScriptedServer):
        def _answer(self, sql: str) -> Answer:
            if sql == "select 1":
                raise KeyboardInterrupt
            return super()._answer(sql)

    server = Stopped({})
    with pytest.raises(KeyboardInterrupt):
        try_drafts([make_draft("create account acc1", "select 1")], server, TERMS)
    assert server.tidied == {"account acc1"}


def test_what_appears_meanwhile_and_no_statement_names_is_of_somebody_else() -> None:
    server = ScriptedServer({}, leaves={"select 2": "stage theirs"})
    trial = try_drafts([make_draft("select 1", "select 2")], server, TERMS)
    assert len(trial.kept[0].statements) == 2
    assert not server.tidied
    assert server.objects() == {"stage theirs"}


def test_a_statement_that_must_not_run_is_no_expectation_of_its_refusal() -> None:
    server = ScriptedServer({"drop user joe": Answer(withheld="it uses the user joe")})
    trial = try_drafts([make_draft("select 1", "drop user joe")], server, TERMS)
    assert [one.sql for one in trial.kept[0].statements] == ["select 1"]
    assert [(one.gate, one.reason) for one in trial.dropped] == [("policy", "drop user joe: it uses the user joe")]


def test_two_statements_that_nothing_answers_are_two_findings() -> None:
    server = ScriptedServer({"select f(1)": Answer(lost=True), "select g(1)": Answer(lost=True)})
    trial = try_drafts([make_draft("select 1", "select f(1)", "select g(1)")], server, TERMS)
    assert [one.sql for one in trial.findings] == ["select f(1)", "select g(1)"]


def test_a_pair_that_must_agree_and_does_not_is_a_finding() -> None:
    draft = make_draft(
        "create table t1 (c_int int)", "insert into t1 values (1)", "select abs(c_int) from t1", "drop table t1"
    )

    class Wrong(ScriptedServer):
        def _answer(self, sql: str) -> Answer:
            return Answer(("n",), (("2" if "sum(case" in sql else "1",),)) if sql.startswith("select") else Answer()

    findings = check(draft, Wrong({}))
    assert [("NoREC" in one.what) for one in findings] == [True]
    assert not check(draft, ScriptedServer({}))
