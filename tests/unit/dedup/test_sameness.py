"""Pairs that a tester judges, and what the simple ways get wrong."""

from __future__ import annotations

import pytest

from orchestrator.cases.dedup import compare_texts

DIFFERENT = [
    ("select '--' || a from t", "select '--' || b, 1 from t"),
    ("select '-- a' = 'b'", "select '-- a' = 'b', 2"),
    ("select 'a /* b' from t", "select 'a /* b' from t where c */ 2"),
    ("select 5--1", "select 5"),
    ("select 'it\\'s', 2", "select 'it\\'s', 0"),
    ("select /*+ shuffle */ a from t", "select a from t"),
    ("select /*! straight_join */ a from t", "select a from t"),
    ("create table t (a decimal(10,2))", "create table t (a decimal(38,10))"),
    ("select a from t limit 0", "select a from t limit 10"),
    ("select 127", "select 1"),
    ("select ''", "select 'abc'"),
    ("select date_format(a, '%Y-%m')", "select date_format(a, '%H:%i')"),
    ("select a, b from t order by 1", "select a, b from t order by 2"),
    ("select ceil(a)", "select ceiling(a)"),
    ("select ceil(a) + ceiling(b)", "select ceiling(a) + ceil(b)"),
    ("select ln(a)", "select log(a)"),
    ("select std(a)", "select stddev(a)"),
    ("select substr(a, 1)", "select substring(a, 1)"),
    ("select json_extract(a, '$.a')", "select json_extract(a, '$.b')"),
    ("select regexp_like(a, 'x.*')", "select regexp_like(a, 'y+')"),
    ("select * from t where a like 'x_'", "select * from t where a like 'xy'"),
    ("set sql_mode = 'a'", "set sql_mode = 'b'"),
    ("set time_zone = 'a'", "set sql_mode = 'a'"),
    ("select date_add(a, interval 12 day)", "select date_add(a, interval 12 hour)"),
    ("select * from t where a = 5 or b = 5", "select * from t where a = 5 or b = 6"),
    ("insert into t values (21, 22), (21, 23)", "insert into t values (21, 22), (24, 23)"),
    ("select a from t where a = b", "select a from t where b = b"),
    ("select '2020-02-29'", "select '2020-02-28'"),
    ("select '2020-01-01'", "select '9999-12-31'"),
    ("select 'abc'", "select '数据'"),
    ("select 'abc'", "select '12'"),
    ("select '   '", "select 'abc'"),
    ("select 0x1f", "select 0x001f"),
    ("select 1e5", "select 1e-5"),
    ("select 1.5", "select 1.50"),
    ("select -12", "select 12"),
    ("load data infile 'a' into table t", "load data infile 'b' into table t"),
    ("create stage s url = 'a'", "create stage s url = 'b'"),
    ("grant select on table * to r", "grant insert on table * to r"),
    ("create snapshot s for account a", "drop snapshot s"),
    ("select sname from mo_catalog.mo_snapshots", "select ts from mo_catalog.mo_snapshots"),
    ("create table t (a int); select t from t", "create table t (a int); select a from t"),
    ("select a from t1, t2", "select a from t1, t1"),
    ("select 1; select 2", "select 1"),
    ("prepare s from 'select a from t where b = ?'", "prepare s from 'select max(a) from t where b = ?'"),
    ("set @s = 'select max(a) from t'", "set @s = 'select min(a) from t'"),
    ("create procedure p() 'select 1'; call p()", "create procedure p() 'select 1'; call q()"),
    ("create function f(a int) returns int language sql as '$1 + 2'; select f(12)", "select abs(12)"),
    ("set @s = concat('insert into ', 't values (5)')", "set @s = concat('replace into ', 't values (5)')"),
    ("set @s = concat('select a from t', ' where b is null')", "set @s = concat('select a from t', ' where not b')"),
    ("select @s := 'delete from t'", "select @s := 'truncate t'"),
    ("execute immediate 'select max(a) from t'", "execute immediate 'select min(a) from t'"),
    ("select a || 'x' from t where a = 12 and b = 13", "select 'x' || a from t where b = 13 and a = 12"),
    ("select in_range(2.5, 1.0, 2.0)", "select in_range(1.5, 1.0, 2.0)"),
    ("select a from t where in_range(a, 12, 15)", "select a from t where in_range(a, 15, 12)"),
    ("select a from t where a between 12 and 15", "select a from t where a between 15 and 12"),
    ("select elt(2, 'a', 'b')", "select elt(4, 'a', 'b')"),
    ("select curtime(3)", "select curtime(6)"),
    ("select strcmp('abc', 'acd')", "select strcmp('banana', 'apple')"),
    ("select upper('abc')", "select upper('ABC')"),
    ("select field('15', 14, 15)", "select field('16', 14, 15)"),
    ("select unhex('01')", "select unhex('0001')"),
    ("select st_astext(st_geomfromtext('POINT(1 2)'))", "select st_astext(st_geomfromtext('POLYGON((0 0,1 0,0 0))'))"),
    ("select yearweek('2005-01-01')", "select yearweek('2008-01-15')"),
    ("select timestampdiff(day, '2020-02-03', '2020-02-05')", "select timestampdiff(day, '2020-02-05', '2020-02-03')"),
    ("select microsecond('2024-12-20 10:11:12.000000')", "select microsecond('2024-12-20 10:11:12.123456')"),
    ("select a from t where b = '2024-12-20 00:00:00'", "select a from t where b = '2024-12-20 11:20:00'"),
    ("select a from t where b = 9.0", "select a from t where b = 9.5"),
    ("select a from t where b = 0.9", "select a from t where b = 1.1"),
    ("select round(2.5)", "select round(2.4)"),
    ("select bin(10e50)", "select bin(2e5)"),
    ("select a from t where b like '1'", "select a from t where b like 1"),
    ("select a from t where date_trunc('year', b)", "select a from t where date_trunc('day', b)"),
    (
        "select a from t order by b limit 3 by rank with option 'mode=pre'",
        "select a from t order by b limit 3 by rank with option 'mode=post'",
    ),
    ("create table t (a double precision(10, 4))", "create table t (a double precision(5, 4))"),
    ("load data infile 'a' into table t character set utf_8", "load data infile 'a' into table t character set abcd"),
    ("create role 'plain'", "create role 'a\"; drop table b; select \"c'"),
    ("create procedure p () 'begin select 12; end'", "create procedure p () 'begin select 13, 14; end'"),
    ("create account `a.b`", "create account ab"),
    ("create table 数据 (a int)", "create table t (a int)"),
    ('/*+ {"rewrites": "a"} */ select a from t', '/*+ {"rewrites": "b"} */ select a from t'),
]
SAME = [
    ("select * from t1 where a = 12", "select * from t2 where b = 35", "shape"),
    ("select col1 from t", "select other from t", "shape"),
    ("select 1e5", "select 2e5", "shape"),
    ("select a from t where b=3", "select a from t where b = 3", "exact"),
    ("select `a` from `t`", "select a from t", "shape"),
    ("insert into `t`(`a`) values (12)", "insert into t (a) values (12)", "shape"),
    ("select a # note\nfrom t", "select a from t", "exact"),
    ("select a -- it's\nfrom t", "select a /* x */ from t", "exact"),
    ("select a from t where b != 3", "select a from t where b <> 3", "shape"),
    ("create table t (a int)", "CREATE TABLE t (a INTEGER)", "shape"),
    ("select a as b from t as c", "select a b from t c", "shape"),
    ("select a from t left outer join u on t.a = u.a", "select a from t left join u on t.a = u.a", "shape"),
    ("select a from t order by a asc", "select a from t order by a", "shape"),
    ("select a from t limit 2, 5", "select a from t limit 5 offset 2", "shape"),
    ("select a from t where b = 12 and c > 'x'", "select a from t where c > 'x' and b = 12", "reorder"),
    ("select a from t where b = 12 or c > 'x'", "select a from t where c > 'x' or b = 12", "reorder"),
    ("select a from t where a in (12, 'x', null)", "select a from t where a in (null, 12, 'x')", "reorder"),
    ("select a, b, c from t group by a, b, c", "select a, b, c from t group by c, a, b", "reorder"),
    ("insert into t (a, b) values (12, 'x')", "insert into u (d, c) values ('y', 13)", "reorder"),
    ('select "abc"', "select 'abd'", "shape"),
    ("set @s = 'select max(a) from t where b = 12'", "set @x = 'SELECT max(c) FROM u WHERE d = 13'", "shape"),
    ("set @s = concat('select a from ', 't')", "set @x = concat('select b from ', 'u')", "shape"),
    ("set @a = 'some words'", "set @b = 'other ones'", "shape"),
    ("create snapshot s for account a", "create snapshot other for account b", "shape"),
    ("create procedure p(a int) 'select 1'; call p(12)", "create procedure q(b int) 'select 1'; call q(13)", "shape"),
    ("create snapshot s for account sys", "create snapshot other for account sys", "shape"),
    ("create database d from sys publication p", "create database e from sys publication q", "shape"),
    ("-- @sortkey:0\nselect a from t;", "select a from t;", "exact"),
    ("--- @metacmp(false)\n-- @bvt:issue#3\nselect a from t;", "select a from t", "exact"),
    ("not sql at all ((", "NOT   sql at all ((", "exact"),
    ("select a from t;;", "select a from t", "exact"),
    ("select round(12.34, 2)", "select round(56.78, 2)", "shape"),
    ("select dayofmonth('2007-02-11')", "select dayofmonth('2024-05-15')", "shape"),
    ("select concat('ab', 'cd')", "select concat('bc', 'de')", "shape"),
    ("select coalesce(a, 2022) from t", "select coalesce(b, 2025) from u", "shape"),
    ("select 12 > -13", "select 22 > -43", "shape"),
    ("select 12 in (13, 14, 'x')", "select 12 in ('x', 13, 14)", "reorder"),
]


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different(left: str, right: str) -> None:
    assert not compare_texts(left, right).duplicate


@pytest.mark.parametrize(("left", "right", "level"), SAME)
def test_same(left: str, right: str, level: str) -> None:
    assert compare_texts(left, right).level == level


def test_context_gives_names_their_types() -> None:
    query = "select in_range(a, 12, 15) from t"
    big, small = "create table t (a bigint)", "create table t (a smallint)"
    assert not compare_texts(query, query, big, small).duplicate
    renamed = "select in_range(b, 12, 15) from u"
    assert compare_texts(query, renamed, big, "create table u (b bigint)").level == "shape"


@pytest.mark.parametrize("kind", ["index", "unique index", "fulltext index"])
def test_an_index_has_the_type_of_its_column(kind: str) -> None:
    context = "create table t (a int, b varchar(5))"
    left, right = f"create {kind} i on t (a)", f"create {kind} i on t (b)"
    assert compare_texts(left, right).duplicate
    assert not compare_texts(left, right, context, context).duplicate


def test_types_count_whichever_side_has_them() -> None:
    query, table = "select count(*) from t where b = 12 and a > 'x'", "create table t (a int, b int)"
    reordered = "select count(*) from t where a > 'x' and b = 12"
    assert compare_texts(query, reordered, table, table).level == "reorder"
    for contexts in ((table, ""), ("", table)):
        assert not compare_texts(query, reordered, *contexts).duplicate


def test_a_view_has_the_types_of_what_it_reads() -> None:
    script = "create table t (a {}); create view v as select a from t"
    assert not compare_texts(script.format("int"), script.format("bigint")).duplicate
    view, ints, texts = "create view v as select a from t", "create table t (a int)", "create table t (a text)"
    assert not compare_texts(view, view, ints, texts).duplicate


def test_alter_table_changes_the_type_of_a_name() -> None:
    script = "create table t (a {}); alter table t modify a {}; select abs(a) from t"
    assert not compare_texts(script.format("int", "bigint"), script.format("int", "smallint")).duplicate


def test_names_keep_their_identity_from_statement_to_statement() -> None:
    left = "create table t (a int); create table u (a int); select a from t"
    assert not compare_texts(left, left.replace("from t", "from u")).duplicate


def test_reordering_holds_under_the_renaming_of_the_whole_script() -> None:
    left = "create table t (a int, b int); select a from t where a = 21 and b = 22"
    right = "create table x (p int, q int); select p from x where q = 27 and p = 28"
    assert compare_texts(left, right).level == "reorder"
    swapped = right.replace("select p", "select q")
    assert not compare_texts(left, swapped).duplicate


def test_the_verdict_says_what_differs() -> None:
    assert compare_texts("select sum(a) from t", "select avg(a) from t").differs_in == ("sum( → avg(",)
    assert compare_texts("select a from t", "select b from t").differs_in == ("names",)
    assert compare_texts("select 12", "select 13").differs_in == ("literals of the same class",)


def test_near_is_advice_and_no_duplicate() -> None:
    left = "select a, b, c, d, e from t where a = 12 and b = 13 order by a"
    verdict = compare_texts(left, left.replace("order by a", "order by a desc"))
    assert verdict.level == "near"
    assert not verdict.duplicate
