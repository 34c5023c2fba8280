from __future__ import annotations

import pytest

from workers.bvt.dsn import Dsn
from workers.bvt.guard import Guard, Property, used_database
from workers.bvt.session import Sessions


def guard(*, allow: bool = False) -> Guard:
    made = Guard(Sessions(Dsn()), allow_drops=allow)
    made.before = Property({"shop"}, {"boss", "root@localhost"})
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "drop database shop",
        "DROP DATABASE IF EXISTS `Shop`;",
        "drop /* x */ schema\nshop",
        "select 1; drop database shop;",
        "drop database mysql",
        "drop account boss",
        "drop account if exists 'boss'",
        "drop user a, root@localhost",
        "drop table shop.orders",
        "truncate table `shop` . orders",
    ],
)
def test_dropping_what_was_there_before_is_objected_to(sql: str) -> None:
    assert guard().objection(sql) is not None


@pytest.mark.parametrize(
    "sql",
    [
        "drop database mine",
        "drop table orders",
        "drop table mine.t",
        "drop account acc1",
        "select 'drop', shop",
        "use shop",
    ],
)
def test_other_statements_run(sql: str) -> None:
    assert guard().objection(sql) is None


def test_a_table_is_its_databases_whether_it_is_named_or_current() -> None:
    assert guard().objection("drop table orders", "shop") is not None
    assert guard().objection("drop table orders", "mine") is None
    assert used_database(" use\n`Shop` ;") == "shop"
    assert used_database("useless") is None


def test_everything_runs_when_the_caller_allows_drops() -> None:
    assert guard(allow=True).objection("drop database shop") is None


def test_a_script_named_like_a_foreign_database_does_not_own_it() -> None:
    assert not guard().owns("SHOP")
    assert guard().owns("mine")
    assert guard(allow=True).owns("shop")
