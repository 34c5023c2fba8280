"""Which statements of generated cases would use what is somebody's."""

from __future__ import annotations

import pytest

from orchestrator.cli.generate_objects import Objects, Rows
from orchestrator.generate.executor import named_by

THEIRS = {
    "show databases": ("Sales", "mo_catalog"),
    "select account_name from mo_catalog.mo_account": ("sys", "acc1"),
    "select stage_name from mo_catalog.mo_stages": ("st1",),
    "select concat(user, '@', host) from mysql.user": ("joe@%",),
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
    ],
)
def test_what_uses_an_object_of_others_is_objected_to(sql: str) -> None:
    assert Objects(ask).objection(sql)


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
    ],
)
def test_what_uses_none_is_not(sql: str) -> None:
    assert Objects(ask).objection(sql) is None


def test_an_answer_that_lists_an_object_of_others_is_told() -> None:
    objects = Objects(ask)
    assert objects.told_by("show databases", [("mo_catalog",), ("Sales",)])
    assert objects.told_by("select * from mo_catalog.mo_stages", [(None, "st1")])
    assert objects.told_by("show accounts", [("sys",)]) is None
    assert objects.told_by("select 'sales'", [("sales",)]) is None


def test_what_no_statement_names_is_somebody_elses() -> None:
    appeared = {"database gen_1", "user Joe@%", "feature BRANCH 1", "database gen", "stage one", "user @localhost"}
    named = named_by(["create user `joe`@'%'", "select 'branch', someone", "gen_1"], appeared)
    assert named == {"database gen_1", "user Joe@%", "feature BRANCH 1"}
