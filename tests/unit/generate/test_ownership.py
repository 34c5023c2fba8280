"""Which statements of generated cases would use what is somebody's."""

from __future__ import annotations

import pytest

from orchestrator.generate.ownership import Ownership, Rows, drops, named_by

THEIRS = {
    "show databases": ("Sales", "mo_catalog"),
    "select account_name from mo_catalog.mo_account": ("sys", "acc1"),
    "select role_name from mo_catalog.mo_role": ("moadmin", "public", "clerk"),
    "select stage_name from mo_catalog.mo_stages": ("st1",),
    "select sname from mo_catalog.mo_snapshots where sname not like '__mo%' and sname not like 'ccpr%'": ("monday",),
    "select pub_name from mo_catalog.mo_pubs": ("news",),
    "select task_id from mo_catalog.mo_ccpr_log": ("0199-aa",),
    "select task_name from mo_catalog.mo_cdc_task": ("copy",),
    "select task_name from mo_task.sql_task": ("nightly",),
    "select pitr_name from mo_catalog.mo_pitr where pitr_name not like 'sys_mo%'": ("week",),
    "select concat(user, '@', host) from mysql.user": ("joe@%", "root@%"),
}


def ask(question: str) -> Rows:
    return [(name,) for name in THEIRS.get(question, ())]


@pytest.mark.parametrize(
    "sql",
    [
        "use sales",
        "insert into `sales`.t values (1)",
        "select * from t join SALES . u on true",
        "create database if not exists sales",
        "drop schema sales",
        "create publication p1 database sales account all",
        "create user if not exists mine, joe",
        "alter user 'joe'@'localhost' identified by 'x'",
        "drop stage if exists st1",
        "create or replace stage st1 url = 'file:///tmp/x'",
        "alter account acc1 suspend",
        "restore cluster {snapshot = 'sp1'}",
        'restore account sys{snapshot="sp1"}',
        "restore account acc1 database mine {snapshot = 'sp1'}",
        "restore account sys database sales {snapshot = 'sp1'}",
        "restore database sales {snapshot = 'sp1'}",
        "restore from pitr p1 '2024-01-01 00:00:00'",
        "pause cdc task copy",
        "resume cdc task `Copy` 'restart'",
        "drop cdc if exists task copy",
        "drop cdc copy",
        "create cdc copy 'mysql://h' 'mysql' 'mysql://h' 'a.b:a.b' {'Level' = 'table'}",
        "drop /* every one */ cdc all",
        "drop database /*!32312 if exists*/ sales",
        "pause cdc all",
        "cancel daemon task 7",
        "pause ccpr subscription '0199-aa'",
        "alter task nightly suspend",
        "execute task nightly",
        "upgrade account all",
        "alter account config set mysql_compatibility_mode unique_check_on_autoincr = 'None'",
        "alter account config acc1 set mysql_compatibility_mode = '0.7'",
        "drop publication if exists news",
        "alter publication news account add acc2",
        "alter publication mine account add acc1",
        "create publication p1 database mine account acc2, acc1",
        "create database sub from sys publication news",
        "create database sub from acc1 publication p1",
        "drop snapshot if exists monday",
        "select * from t {snapshot = 'monday'}",
        "data branch pick a into b between snapshot sp1 and monday",
        "create database copied clone sales",
        "alter pitr week range 2 'h'",
        "restore database mine from pitr week '2024-01-01 00:00:00'",
        "select load_file(cast('stage://st1/a.txt' as datalink))",
        "remove files from stage if exists st1",
        "select mo_ctl('dn', 'flush', 'sales.t')",
        "grant clerk to mine",
        "grant mine to joe",
        "grant select on table t to public",
        "revoke mine from 'joe'@'%'",
        "set default role mine to joe",
        "set password for joe = 'x'",
        "show grants for joe@localhost",
        "alter role mine rename to clerk",
        "drop role mine, clerk",
        "show tables from sales",
        "prepare s1 from 'delete from sales.t'",
        "execute immediate 'drop user joe'",
        "set @s = 'insert into sales.t values (\\'x\\')'",
        "prepare s1 from 'alter user joe identified by ''x'' '",
        "prepare s1 from 'use sales'",
        "prepare s1 from 'execute immediate \"drop user joe\"'",
        "create task x as 'truncate sales.t'",
        "create procedure p() 'begin update t set a = 1; delete from sales.t; end'",
        "create function f() returns int language sql as $$ delete from sales.t $$",
        "create procedure p() grant clerk to mine",
        "create trigger tr after insert on t for each row delete from sales.t",
        "explain analyze drop role clerk",
        'delete from "sales".t',
        "delete from sales.1t",
        "set password for root@localhost = 'x'",
        "rename user root@localhost to mine",
        "rename user mine to ours, joe to other",
        "create or replace user root@localhost identified by 'x'",
        "create or replace role moadmin",
        "set default role none for root",
    ],
)
def test_what_uses_an_object_of_others_is_objected_to(sql: str) -> None:
    assert Ownership(ask).objection(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "create table sales (sales int)",
        "select sales from t where joe = 'joe'",
        "select * from mo_catalog.mo_user",
        "use mine",
        "create user sales",
        "drop stage st2",
        "create snapshot sp1 for account sys",
        "restore account sys database mine table t {snapshot = 'sp1'}",
        "restore account acc2 {snapshot = 'sp1'}",
        "pause cdc task mine",
        "show cdc all",
        "set role moadmin",
        "use role moadmin",
        "show grants for root@localhost",
        "create user mine identified by 'x' default role public",
        "grant select on table mo_catalog.mo_user to mine",
        "grant mine, public to ours",
        "select role clerk, t.copy from t where stage = 'st1'",
        "create publication p1 database mine account all",
        "create database sub from sys publication p1",
        "create table t (role varchar(10), joe int)",
        "set @news = 'news'",
        "insert into t values ('sales', 'joe and the clerk', 'drop by')",
        "prepare s1 from 'select ? + sales from t'",
        "set default role public to mine",
        "create user if not exists root",
        "grant drop table on database * to sales",
        "insert into t values ('it was a day of sales.')",
        "update t set a = .5, sales = .25",
    ],
)
def test_what_uses_none_is_not(sql: str) -> None:
    assert Ownership(ask).objection(sql) is None


def test_an_answer_that_lists_an_object_of_others_is_told() -> None:
    ownership = Ownership(ask)
    assert ownership.told_by("show databases", [("mo_catalog",), ("Sales",)])
    assert ownership.told_by("select * from mo_catalog.mo_stages", [(None, "st1")])
    assert ownership.told_by("execute s1", [("Sales",)])
    assert ownership.told_by("show accounts", [("sys",)]) is None
    assert ownership.told_by("select 'sales'", [("sales",)]) is None


def test_what_no_statement_names_is_somebody_elses() -> None:
    appeared = {"database gen_1", "user Joe@%", "feature BRANCH 1", "database gen", "stage one", "user @localhost"}
    named = named_by(["create user `joe`@'%'", "select 'branch', someone", "gen_1"], appeared)
    assert named == {"database gen_1", "user Joe@%", "feature BRANCH 1"}


def test_what_a_run_left_is_dropped_by_its_whole_name() -> None:
    assert drops(["user a`b@%"]) == ["drop user if exists `a``b`@`%`"]
    assert drops(["cdc copy"]) == ["drop cdc task `copy`"]
    assert drops(["pitr week"]) == ["drop pitr `week`"]


def test_a_database_is_dropped_after_the_publication_that_holds_it() -> None:
    assert drops(["publication p", "database d"]) == ["drop publication `p`", "drop database `d`"]
