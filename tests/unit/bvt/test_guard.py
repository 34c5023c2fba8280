from __future__ import annotations

import re
import sys
from collections import Counter
from types import FrameType
from typing import Any, cast

import pytest

from orchestrator.domain.errors import ServerError
from workers.bvt import threats as reader
from workers.bvt.dsn import Dsn
from workers.bvt.guard import Guard
from workers.bvt.session import Sessions
from workers.bvt.threats import threats, used_database
from workers.bvt.wire import NO_RESULT, ConnectionLostError, Reply, ServerFaultError, Wire

OTHERS = [
    ("user", "joe"), ("user", "dump"), ("role", "clerk"), ("role", "Public"), ("snapshot", "friday"), ("stage", "s3"),
    ("publication", "prices"), ("cdc", "mirror"), ("pitr", "day"),
]  # fmt: skip
UNKNOWN = ServerFaultError("no such table", 1146, "42S02")


class Server:
    """A connection to a server that knows some questions."""

    def __init__(self, rows: dict[str, list[str]]) -> None:
        self.rows = rows
        self.failing: dict[str, Exception] = {}
        self.dropped: list[str] = []
        self.closed = False

    def query(self, sql: str, timeout: float) -> Reply:
        if sql.startswith("DROP"):
            self.dropped.append(sql)
            return NO_RESULT
        asked = re.search(r"(?:SHOW |mo_catalog\.)(\w+)|(concat|is_role)", sql)
        about = (asked[1] or asked[2]) if asked else ""
        if about in self.failing:
            raise self.failing[about]
        if about not in self.rows:
            raise UNKNOWN
        return Reply((), [[name.encode()] for name in self.rows[about]])


def matrixone() -> Server:
    """It has OTHERS, and some of its own."""
    names = {kind: [name for of, name in OTHERS if of == kind] for kind, _ in OTHERS}
    tables = {"user": "mo_user", "role": "mo_role", "snapshot": "mo_snapshots", "stage": "mo_stages"}
    tables |= {"publication": "mo_pubs", "cdc": "mo_cdc_task", "pitr": "mo_pitr"}
    return Server({"DATABASES": ["shop"], "ACCOUNTS": ["sys", "boss"]} | {tables[kind]: names[kind] for kind in names})


def mariadb() -> Server:
    users = ["root@localhost", "root@%", "dump@%", "joe@10.0.0.1", "clerk@"]
    return Server({"DATABASES": ["shop"], "concat": users, "is_role": ["clerk"]})


def fresh(server: Server, *, allow: bool = False) -> Guard:
    sessions = Sessions(Dsn())
    sessions.system = lambda: cast("Wire", server)  # type: ignore[method-assign]
    return Guard(sessions, allow_drops=allow)


def guard(server: Server | None = None, *, allow: bool = False) -> Guard:
    """One that remembers what is on a server, a MatrixOne unless another is given."""
    made = fresh(server or matrixone(), allow=allow)
    made.remember()
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
        "restore account boss database mine {snapshot = friday}",
        "restore account boss database sales table t {snapshot = friday}",
        "restore database boss.sales {snapshot = friday}",
        "restore table boss.sales.t {snapshot = friday}",
        "drop role clerk -- of somebody\n;",
        "drop database shop # x\n",
        "drop database shop // x",
        "drop -- x\x01\n role --\x01 x\n clerk",
        "drop role `clerk` /* a */",
        "/*!40000 drop role clerk */",
        "/*!drop*/ role clerk",
        "drop /*!99999 x */ database /*!1 shop */",
        "drop /*!99999 x */ table shop.orders",
        "/*M!100100 drop database shop */",
        "drop /*+ x */ database shop",
        "drop tables mine.t, shop.orders",
        "drop view if exists shop.v",
        "drop table shop.1st",
        "data branch delete database shop",
        "create or replace database shop",
        "create or replace table shop.orders (a int)",
        "create or replace role clerk",
        "execute immediate 'drop database shop'",
        "prepare s from 'drop database `sho\\p`'",
        "prepare s from 'drop\\ndatabase shop'",
        "create procedure p() 'begin execute immediate \"drop database shop\"; end'",
        "execute immediate 'use shop'",
        "execute immediate '-- a comment ends with its line\\ndrop database shop'",
        "if 1 then drop table shop.orders; end if",
        "execute immediate 'dr\\op database shop'",
        "drop user 'j' , joe",
        "/*!1 drop cdc all */",
        "drop role account, clerk",
        "drop role if exists comment, clerk",
        "restore database sys.`shop` {snapshot = friday}",
        "use shop; drop table orders",
        "/*!1 use shop */; drop table orders",
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
        "restore account sys database mine {snapshot = mine}",
        "restore account mine database shop {snapshot = mine}",
        "drop database mine -- shop",
        "drop database mine /* shop */",
        "drop database `shop;drop database mine`",
        "drop table mine.shop, shop",
        "drop table `shop``x`.t",
        "drop user boss",
        "alter table t drop user",
        "revoke drop database on account * from clerk",
        "show create database shop",
        "select * from shop.orders for update",
        "select 'drop database', 'shop'",
        "insert into t select * from shop.orders",
        "insert into t (shop) values (1) on duplicate key update shop.a = 1",
        "insert into mine.t select replace(shop.a, 1, 2) from shop.orders",
        "update t set a = (select max(shop.a) from shop.orders as shop)",
        "update t join shop as u on shop.a = t.a set shop.a = 1",
        "delete from t where a in (select a from shop.orders)",
        "create table t as select * from shop.orders",
        "create table t like shop.orders",
        "create view v as select shop.a, shop.b from t as shop where shop.a > 0",
        "create view v as select * from mysql.user",
        "create table t (a int, foreign key (a) references shop.orders (a) on delete cascade)",
        "create user joe2 identified by 'shop'",
        "alter user root identified by '111'",
        "alter account sys2 comment 'boss'",
        "use shop; select 1",
        "insert into mysql.user values (1)",
        "alter database mysql character set utf8",
        "use mysql; create table t (a int)",
    ],
)
def test_other_statements_run(sql: str) -> None:
    assert guard().objection(sql) is None


@pytest.mark.parametrize(
    "sql",
    [
        "delete from shop.orders",
        "delete u from shop.orders u",
        "delete t, shop.orders from t join shop.orders",
        "explain analyze delete from `shop` . orders",
        "with a as (select 1) delete from shop.orders",
        "update shop.orders set a = 1",
        "update ignore mine.t, shop.orders set a = 1",
        "update (mine.t join shop.orders) set a = 1",
        "insert into shop.orders(a) values (1)",
        "insert ignore shop.orders set a = 1",
        "insert into /*!1 shop.*/ orders values (1)",
        "replace into shop.orders select 1",
        "load data infile 'x' into table shop.orders",
        "alter table shop.orders add b int",
        "alter table mine.t rename to shop.t",
        "alter database shop character set utf8",
        "alter view shop.v as select 1",
        "rename table mine.t to mine.u, shop.orders to mine.v",
        "create table if not exists shop.mine (a int)",
        "create index i on shop.orders (a)",
        "drop index i on shop.orders",
        "create trigger shop.t before insert on orders for each row set @a = 1",
        "create event e on schedule every 1 day do delete from shop.orders",
        "data branch merge t into shop.orders",
        "execute immediate 'delete from shop.orders'",
        "create view mine.v as select * from shop.orders",
        "create or replace view v as select a from t, (shop.orders join u)",
        "create view v as select 1 from t union select a from `shop` . orders",
        "create table m (a int) engine = merge union = (t, shop.orders) insert_method = last",
        "alter user joe identified by '1'",
        "alter role clerk rename to x",
        "rename user mine to x, joe to y",
        "alter account boss suspend",
        "alter stage s3 set url = 'x'",
        "alter publication prices account all",
        "pause cdc task mirror",
    ],
)
def test_changing_what_was_there_before_is_objected_to(sql: str) -> None:
    assert guard().objection(sql) is not None


@pytest.mark.parametrize(
    "sql",
    ["insert into t values (1)", "update t set a = 1", "drop table tables", "insert into view values (1)",
     "drop view v", "drop table load", "create view other.v as select * from t", "drop table config",
     "create table t (a int)", "alter table t add b int", "truncate t", "/*!1 delete */ from t"],
)  # fmt: skip
def test_a_table_is_its_databases_whether_it_is_named_or_current(sql: str) -> None:
    assert guard().objection(sql, "Shop") is not None
    assert guard().objection(sql, "mine") is None


@pytest.mark.parametrize(
    ("sql", "refused"),
    [
        ("drop user root", True), ("drop user 'dump'@'%'", True), ("drop user mine, root@localhost", True),
        ("drop user joe", False),
        ("/*!1 drop user joe@10.0.0.1 */", True), ("drop user joe@10.0.0.1", True), ("drop role clerk", True),
        ("drop role mine", False),
        ("drop role root", True), ("drop user current_user()", True), ("alter user root@localhost account lock", True),
        ("alter user mine identified by 'root'", False),
    ],
)  # fmt: skip
def test_elsewhere_than_on_matrixone_no_name_is_free_to_drop(sql: str, *, refused: bool) -> None:
    assert (guard(mariadb()).objection(sql) is not None) == refused


@pytest.mark.parametrize("about", ["DATABASES", "ACCOUNTS", "mo_user", "mo_role", "mo_stages", "mo_pitr"])
@pytest.mark.parametrize(
    "failure", [ConnectionLostError("timed out"), ServerFaultError("no space", 1021, "HY000")], ids=["lost", "fault"]
)
def test_a_question_without_an_answer_ends_the_run(about: str, failure: Exception) -> None:
    server = matrixone()
    server.failing[about] = failure
    with pytest.raises(ServerError, match=about):
        guard(server)


@pytest.mark.parametrize(
    "denied",
    [
        ServerFaultError("SELECT command denied to user", 1142, "42000"),
        ServerFaultError("internal error: do not have privilege to execute the statement", 20101, "HY000"),
    ],
)
@pytest.mark.parametrize(("kind", "about"), [("account", "ACCOUNTS"), ("role", "mo_role"), ("stage", "mo_stages")])
def test_what_a_user_may_not_see_may_be_somebodys_and_stays(kind: str, about: str, denied: ServerFaultError) -> None:
    server = matrixone()
    server.failing[about] = denied
    made = guard(server)
    assert made.objection(f"drop {kind} x") == f"it drops the {kind} 'x', which may have been there before this run"
    assert made.objection("drop pitr mine") is None
    server.failing.clear()
    for names in (server.rows[about] for about in ("ACCOUNTS", "mo_role", "mo_stages")):
        names += ["x"]
    made.tidy(cast("Wire", server), ["create role x; create stage x; create account x"])
    assert len(server.dropped) == 2
    assert not any(kind.upper() in drop for drop in server.dropped)


def test_on_other_servers_users_that_may_not_be_seen_stay_and_the_rest_goes_on() -> None:
    server = mariadb()
    server.failing["concat"] = ServerFaultError("SELECT command denied to user", 1142, "42000")
    made = guard(server)
    assert made.objection("drop user mine") is not None
    assert made.objection("drop role mine") is not None
    assert made.objection("drop database mine") is None


@pytest.mark.parametrize("code", [1049, 1054, 1064, 1146, 1149, 1235])
def test_a_server_that_does_not_know_a_question_has_nothing_of_the_kind(code: int) -> None:
    server = matrixone()
    server.failing["mo_pitr"] = ServerFaultError("what?", code, "")
    assert guard(server).objection("drop pitr day") is None
    assert guard(server).objection("drop stage s3") is not None


def test_a_server_is_asked_for_everything_a_script_could_drop() -> None:
    for kind, name in [("database", "shop"), ("account", "boss"), *OTHERS]:
        said = guard().objection(f"drop {kind} {name}") or ""
        assert (f"the {kind} '{name}', which was there" in said) == (name not in ("dump", "Public")), kind


def test_what_a_script_made_is_dropped_and_nothing_of_others() -> None:
    server = matrixone()
    made = guard(server)
    server.rows["mo_stages"] += ["mine", "min", "other"]
    server.rows["mo_cdc_task"] += ["mine"]
    server.rows["mo_pubs"] += ["p1"]
    script = ["create /**//**/ stage if not exists mine url='x'", "/*!1 create CDC mine 'a' */"]
    script += ["execute immediate 'create publication p1 database d'"]
    made.tidy(cast("Wire", server), [*script, "create user us; drop user dump"])
    assert server.dropped == ["DROP STAGE `mine`", "DROP PUBLICATION `p1`", "DROP CDC TASK `mine`"]


def test_after_a_reset_all_that_outlives_scripts_is_dropped_before_the_databases_it_holds() -> None:
    server = matrixone()
    made = fresh(server)
    made.reset()
    assert server.dropped == ["DROP DATABASE IF EXISTS `shop`"]
    server.rows["DATABASES"] = ["d"]
    for about in ("mo_role", "mo_snapshots", "mo_stages", "mo_pubs", "ACCOUNTS"):
        server.rows[about] += ["mine"]
    server.dropped.clear()
    made.tidy_all()
    assert server.dropped == [
        "DROP ROLE `mine`", "DROP SNAPSHOT `mine`", "DROP STAGE `mine`", "DROP PUBLICATION `mine`",
        "DROP DATABASE IF EXISTS `d`", "DROP ACCOUNT IF EXISTS `mine`",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "database"),
    [
        (" use\n`Shop` ;", "shop"), ("/* x */ USE shop -- y", "shop"), ("useless", None), ("select 'use shop'", None),
        ("select * from t use index (i)", None), ("use role r", None), ("select 1; use shop", ""),
        ("/*!40101 use shop; */", ""),
    ],
)  # fmt: skip
def test_what_makes_a_database_current(sql: str, database: str | None) -> None:
    assert used_database(sql) == database


class Current:
    """A connection that says in which database it is, or is refused that."""

    def __init__(self, said: str | None) -> None:
        self.said, self.database, self.closed = said, "before", False

    def query(self, sql: str, timeout: float) -> Reply:
        assert sql == "SELECT DATABASE()"
        if self.said is None:
            raise UNKNOWN
        return Reply((), [[self.said.encode()]])

    def abort(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("used", "failed", "said", "database"),
    [("shop", False, None, "shop"), ("shop", True, None, "before"), ("", False, "shop", "shop"), ("", True, "b", "b")],
)
def test_the_server_is_asked_for_its_current_database_only_where_the_text_does_not_tell(
    used: str, *, failed: bool, said: str | None, database: str
) -> None:
    wire = Current(said)
    Sessions(Dsn()).follow(cast("Wire", wire), used, failed=failed)
    assert (wire.database, wire.closed) == (database, False)


def test_a_connection_whose_database_nobody_knows_is_closed() -> None:
    wire = Current(None)
    Sessions(Dsn()).follow(cast("Wire", wire), "", failed=True)
    assert wire.closed


@pytest.mark.parametrize(
    "piece",
    ["/**/", " ", "drop database ", "drop table a,", "update t ", "restore account ", "create or replace role ",
     "insert into ", "'drop' ", "use x;", "use x; drop table t;", "/*!1 drop */ ", "a.", "@ ",
     '"\'drop', "\\'", "$$drop"],
)  # fmt: skip
def test_the_work_is_linear_in_the_length(piece: str) -> None:
    def work(times: int) -> int:
        lines: Counter[str] = Counter()

        def trace(frame: FrameType, event: str, _: object) -> object:
            lines[event] += 1
            return trace if frame.f_code.co_filename == reader.__file__ else None

        sql = f"drop database x {piece * times}y"
        before = sys.gettrace()
        sys.settrace(cast("Any", trace))
        try:
            list(threats(sql))
            used_database(sql)
        finally:
            sys.settrace(before)
        return lines.total()

    assert work(1600) < 2.5 * work(800)


@pytest.mark.parametrize("name", ["task", "account", "comment", "value", "table", "1st", "a`b", "'a'", "view", "load"])
def test_whatever_a_database_is_called_it_is_found(name: str) -> None:
    server = matrixone()
    server.rows["DATABASES"] = [name]
    of = guard(server)
    quoted = name if name.isalnum() and name != "table" else f"`{name.replace('`', '``')}`"
    for sql in (f"drop database {quoted}", f"drop table {quoted}.t", f"truncate {quoted}.1t"):
        assert of.objection(sql) is not None, sql


def test_everything_runs_when_the_caller_allows_drops() -> None:
    assert guard(allow=True).objection("drop database shop") is None


def test_a_script_named_like_a_foreign_database_does_not_own_it() -> None:
    assert not guard().owns("SHOP")
    assert guard().owns("mine")
    assert guard(allow=True).owns("shop")
