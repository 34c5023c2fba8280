"""What files leave set, and the words that set it back."""

from __future__ import annotations

import pytest

from orchestrator.cases.sql.lexer import tokenize
from orchestrator.generate.session import Restoring, restoring


def back(*statements: str) -> Restoring:
    return restoring(map(tokenize, statements))


@pytest.mark.parametrize(
    ("sql", "first", "last"),
    [
        ("set autocommit = 0", ["set autocommit = 1"], []),
        ("set role r1", ["set role moadmin"], []),
        ("use secondary role all", ["set secondary role none"], []),
        ("SET SESSION Sql_Mode = ''", [], ["set sql_mode = default"]),
        ("set @@session.sql_mode = concat_ws(',', @@sql_mode, 'x')", [], ["set sql_mode = default"]),
        ("set @@probe_limit := 7", [], ["set probe_limit = default"]),
        ("set mo_table_stats.use_old_impl = yes", [], ["set mo_table_stats.use_old_impl = default"]),
        ("set `time_zone` = '+00:00', local b = 1", [], ["set time_zone = default", "set b = default"]),
        ("set foreign_key_checks = 0", [], ["set foreign_key_checks = default"]),
        ("set @x = (select max(a, b) from t), @`y z` := 2", [], ["set @x = null, @`y z` = null"]),
        ("set names utf8mb4", [], ["set names default"]),
        ("set session transaction isolation level read committed", [], ["set tx_isolation = default"]),
        ("set session transaction read only", [], ["set session transaction read write"]),
        ("/*!40101 set sql_mode='' */", [], ["set sql_mode = default"]),
        ("select @b := 2", [], ["set @b = null"]),
        ("select 1, 2 into @c, @`d e`", [], ["set @c = null, @`d e` = null"]),
        ("load data infile 'x' into table t (a, @b)", [], ["set @b = null"]),
        ("call p(@out)", [], ["set @out = null"]),
        ("prepare s from 'set sql_mode = 1'", [], ["set sql_mode = default"]),
        ("set last_insert_id = 5, identity = 6", [], ["set last_insert_id = 0", "set identity = 0"]),
        ("set @@ session.b = 1", [], ["set b = default"]),
    ],
)
def test_what_is_set_is_set_back_beside_the_drops(sql: str, first: list[str], last: list[str]) -> None:
    assert back(sql) == (first, last)
    assert back(sql, *first, *last) == ([], [])


@pytest.mark.parametrize(
    "sql",
    [
        "use d1",
        "set transaction isolation level read committed",
        "set default role r to u",
        "select @@sql_mode = ''",
        "set statement max_statement_time = 1 for select 1",
        "set rand_seed1 = 5",
        "set @@global . x = 1",
        "create user joe@localhost, 'user'@'%'",
        "create definer = root@`localhost` view v as select 1",
    ],
)
def test_what_lasts_for_no_session_is_left_alone(sql: str) -> None:
    assert back(sql) == ([], [])


def test_each_setting_is_set_back_once_however_often_it_was_set() -> None:
    assert back("set sql_mode = ''", "set probe_limit = 1", "set @@sql_mode = 'ANSI'").last == [
        "set probe_limit = default",
        "set sql_mode = default",
    ]
