from __future__ import annotations

import re
from typing import cast

import pytest

from workers.bvt.dsn import Dsn
from workers.bvt.guard import Guard, Property, used_database
from workers.bvt.session import Sessions
from workers.bvt.wire import NO_RESULT, Reply, ServerFaultError, Wire

OTHERS = [
    ("user", "joe"), ("user", "dump"), ("role", "clerk"), ("role", "Public"), ("snapshot", "friday"), ("stage", "s3"),
    ("publication", "prices"), ("cdc", "mirror"), ("pitr", "day"),
]  # fmt: skip


class MatrixOne:
    """A connection to a server that has those, and some of its own."""

    def __init__(self) -> None:
        names = {kind: [name for of, name in OTHERS if of == kind] for kind, _ in OTHERS}
        tables = {"user": "mo_user", "role": "mo_role", "snapshot": "mo_snapshots", "stage": "mo_stages"}
        tables |= {"publication": "mo_pubs", "cdc": "mo_cdc_task", "pitr": "mo_pitr"}
        self.rows = {"DATABASES": ["shop"], "ACCOUNTS": ["boss"]} | {tables[kind]: names[kind] for kind in names}
        self.dropped: list[str] = []

    def query(self, sql: str, timeout: float) -> Reply:
        if sql.startswith("DROP"):
            self.dropped.append(sql)
            return NO_RESULT
        asked = re.search(r"(?:SHOW |mo_catalog\.)(\w+)", sql)
        if asked is None:
            raise ServerFaultError("no such table", 1146, "42S02")
        return Reply((), [[name.encode()] for name in self.rows[asked[1]]])


def guard(*, allow: bool = False) -> Guard:
    made = Guard(Sessions(Dsn()), allow_drops=allow)
    made.before = Property({"shop"}, {"sys", "boss", "root@localhost"}, OTHERS)
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
        "drop user joe",
        "drop user 'joe'@'%'",
        "drop role if exists mine, `clerk`",
        "drop snapshot Friday",
        "drop snapshot if exists friday from boss publication prices",
        "drop stage s3;",
        "drop publication prices",
        "drop cdc task mirror",
        "drop cdc if exists mirror",
        "drop cdc all",
        "drop pitr if exists day",
        'restore account boss{snapshot="friday"}',
        'restore account mine {snapshot="friday"} to account boss',
        "restore account sys from pitr day '2025-01-01'",
        "restore account sys database shop table t from pitr day '2025-01-01'",
        "restore database sys.shop {snapshot = friday}",
        "restore table shop.orders {snapshot = friday}",
        "restore table sys.shop.orders {snapshot = friday}",
        "restore cluster {snapshot = friday}",
        "restore from pitr day '2025-01-01'",
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
        "drop role mine",
        "drop role public",
        "drop user root, dump",
        "drop stage mine",
        "drop snapshot shop",
        "drop cdc task mine",
        "restore account mine {snapshot = mine}",
        "restore account boss {snapshot = friday} to account mine",
        "restore database mine {snapshot = mine}",
        "restore table mine.shop {snapshot = mine}",
    ],
)
def test_other_statements_run(sql: str) -> None:
    assert guard().objection(sql) is None


def test_a_server_is_asked_for_everything_a_script_could_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Guard(Sessions(Dsn()), allow_drops=False)
    monkeypatch.setattr(Sessions, "system", lambda _: MatrixOne())
    made.remember()
    for kind, name in [("database", "shop"), ("account", "boss"), *OTHERS]:
        said = made.objection(f"drop {kind} {name}") or ""
        assert (f"the {kind} '{name}', which was there" in said) == (name not in ("dump", "Public")), kind


def test_what_a_script_made_is_dropped_and_nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    server = MatrixOne()
    made = Guard(Sessions(Dsn()), allow_drops=False)
    monkeypatch.setattr(Sessions, "system", lambda _: server)
    made.remember()
    server.rows["mo_stages"] += ["mine", "min", "other"]
    server.rows["mo_cdc_task"] += ["mine"]
    server.rows["mo_pubs"] += ["p1"]
    script = ["create stage if not exists mine url='x'", "create CDC mine 'a'", "create publication p1 database d"]
    made.tidy(cast("Wire", server), [*script, "create user us; drop user dump"])
    assert server.dropped == ["DROP STAGE `mine`", "DROP PUBLICATION `p1`", "DROP CDC TASK `mine`"]


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
