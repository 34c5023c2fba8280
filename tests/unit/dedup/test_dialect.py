"""The sqlglot dialect for MatrixOne."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from orchestrator.cases.sql.administrative import family_of_tree
from orchestrator.cases.sql.coverage import coverage
from orchestrator.cases.sql.dialect import MatrixOne

FAMILIES = [
    ("create snapshot sp for account acc01", "snapshot"),
    ("create account if not exists a admin_name = 'x' identified by '111'", "account"),
    ("create role r1, r2", "role"),
    ("drop user if exists u", "user"),
    ("prepare s from 'select ?'", "prepared statement"),
    ("data branch create table t2 from t1 {snapshot = 'sp'}", "data branch"),
    ("create publication p database d account all", "publication"),
    ("create database d from sys publication p", "publication"),
    ("grant select on table * to r with grant option", "privilege"),
    ("restore account a from snapshot s", "restore"),
    ("create stage s url = 'file:///x'", "stage"),
    ("load data infile {'filepath' = 'a', 'format' = 'csv'} into table t fields terminated by ','", "load data"),
    ("create index i using ivfflat on t(b) lists = 2 op_type 'vector_l2_ops'", "special index"),
    ("create fulltext index f on t (a, b) with parser ngram", "special index"),
    ("create pitr p for database d range 1 'h'", "pitr"),
    ("create external table t (a int) infile 'x' fields terminated by ','", "external table"),
    ("create cdc c 'a' 'b' 'c'", "cdc"),
    ("create sequence s increment 2 start with 30", "sequence"),
    ("create cluster table t (a int)", "cluster table"),
    ("create table a.t clone b.t {snapshot = 's'}", "clone"),
    ("show create table t", "show"),
    ("lock tables t read, u write", "maintenance"),
    ("drop ccpr subscription if exists 's'", "publication"),
    ("set @a = 1", "session"),
]
READ = [
    "select * from t {snapshot = 's'} a where a.b = 1",
    "select * from t {as of timestamp '2020-01-01'}",
    "select a from t minus select b from u",
    "create table t (a vecf32(3), b vecf64(128) not null, c uuid)",
    "select sample(a, b, 2 rows) from t group by c",
    "select _wstart, max(a) from t where b > 'x' interval(ts, 10, second) sliding(5, second) fill(prev)",
    "select a from t into outfile 'x.csv' fields terminated by ','",
    "select a from t order by l2_distance(b, '[1]') limit 3 by rank with option 'mode=pre'",
    "replace into t values (1, 2)",
    "replace t (a) values (1)",
    "update ignore t set a = 1",
    "insert into t (d.t.a, d.t.b) values (1, 2)",
    "select $$a'b$$",
    "select a // note\nfrom t",
    "create table t (a int) partition by hash(a) partitions 4",
    "select median(1, 2, 3)",
    "create table t (a int, b vecf32(3), key k using ivfflat (b) lists = 1 op_type 'vector_l2_ops')",
    "create table t (m int, lists int, key `k` using hnsw (m) m = 48 ef_search 64 async)",
    "create index i using btree on t (b) comment 'kept'",
    "create index i on t (b) using hash",
    "select t.a from t dedup join u on t.a = u.a",
]


@pytest.mark.parametrize(("sql", "family"), FAMILIES)
def test_an_administrative_statement_is_a_node_of_its_family(sql: str, family: str) -> None:
    [tree] = sqlglot.parse(sql, read="matrixone")
    assert family_of_tree(tree) == family


@pytest.mark.parametrize("sql", READ)
def test_sql_has_a_tree_of_its_own(sql: str) -> None:
    [tree] = MatrixOne().parse(sql)
    assert not isinstance(tree, exp.Command)


@pytest.mark.parametrize("name", ["CEIL", "CEILING", "LN", "LOG", "STD", "STDDEV", "SUBSTRING_INDEX", "IN_RANGE"])
def test_functions_keep_their_names(name: str) -> None:
    text = MatrixOne().parse(f"select {name}(a, b)")[0].sql(dialect="matrixone")
    assert f"{name}(" in text.upper()


@pytest.mark.parametrize("sql", [sql for sql, _ in FAMILIES])
def test_what_is_written_reads_back_the_same(sql: str) -> None:
    dialect = MatrixOne()
    [tree] = dialect.parse(sql)
    [again] = dialect.parse(dialect.generate(tree))
    assert repr(again) == repr(tree)


def test_two_bars_concatenate() -> None:
    [tree] = MatrixOne().parse("select a || b or c")
    assert tree.find(exp.DPipe).parent_select is tree
    assert isinstance(tree.expressions[0], exp.Or)
    assert tree.sql(dialect="matrixone") == "SELECT CONCAT(a, b) OR c"


def test_several_statements_are_several_trees() -> None:
    assert [type(tree).__name__ for tree in MatrixOne().parse("select 1; drop role r; ;")] == ["Select", "Command"]


def test_mysql_is_left_as_it_is() -> None:
    assert sqlglot.parse_one("select ceiling(a)", read="mysql").find(exp.Ceil)
    with pytest.raises(sqlglot.errors.ParseError):
        sqlglot.parse_one("select a from t minus select b from (u", read="mysql")


def test_coverage_names_the_families_that_are_not_read() -> None:
    found = coverage(["select 1; create role r;", "select from from"])
    assert [(one.family, one.total, one.read) for one in found] == [("select", 2, 1), ("role", 1, 1)]
