import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.generate.aspects import aspects, counted, kind_of


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select abs(-1)", {"statement select", "call abs", "call abs 1 negative"}),
        ("select elt(1, 'a', null)", {"call elt 1 integer", "call elt 2 text", "call elt 3 null"}),
        ("select cast(a as decimal(10,2)) from t", {"cast decimal(18,s)", "call cast"}),
        ("create table t (a bigint unsigned, b varchar(5))", {"type bigint unsigned", "type varchar(n)"}),
        ("select * from a natural full join b", {"clause natural full join"}),
        ("select a from t where (a, b) in ((1, 2))", {"operator in tuple"}),
        ("select 1 where not exists (select 1 from t)", {"operator not exists query"}),
        ("set sql_mode = ''", {"statement set variable", "variable sql_mode"}),
        ("select @@global.autocommit", {"variable autocommit"}),
        ("select count(*) from mo_catalog.mo_user", {"catalog mo_catalog.mo_user", "call count 1 star"}),
        ("with w as (select 1) delete from t", {"statement with delete"}),
        ("data branch create table a from b", {"statement data branch create table"}),
        ("replace into t select 1", {"statement replace select"}),
        ("create database a clone b", {"statement create database clone"}),
        ("update a, b set a.x = b.x", {"statement update join"}),
        ("delete a from a, b", {"statement delete join"}),
        ("show tables from d like 'x'", {"statement show tables", "clause show like"}),
        ("select d + interval 1 second from a, b", {"operator interval second", "clause comma join"}),
        ("select (select 1) from (select 2) x", {"clause scalar query", "clause derived table"}),
        ("insert into t values (x'41', default)", {"operator hex literal", "clause default value"}),
        ("select * from t {snapshot = 's'} order by a desc", {"clause {snapshot}", "clause desc"}),
        ("prepare p from 'select a <=> ? from t limit 1'", {"operator <=>", "clause placeholder", "clause limit"}),
        ("create index i using hnsw on t (v)", {"clause index using hnsw"}),
        (
            "create table t (a int default (1), b int, key k (b), primary key (a, b), "
            "foreign key (b) references u (b) on delete set null on update cascade)",
            {"clause default expression", "clause index in create", "clause primary key composite"}
            | {"clause on delete set", "clause on update cascade"},
        ),
        (
            "create table t (a numeric(29,0), b varchar(300), c time(0), d float(5,2))",
            {"type decimal(38)"} | {"type varchar(n>255)", "type time(0)", "type float(n,n)"},
        ),
    ],
)
def test_a_statement_exercises(sql: str, expected: set[str]) -> None:
    assert expected <= set(aspects(sql))


def test_a_table_is_not_called_and_a_name_is_no_keyword() -> None:
    assert not any(one.startswith("call t1") for one in aspects("create table if not exists t1 (a int)"))
    assert "word hash" not in aspects("select 1 as hash")
    found = aspects("create table t (a int, key k (a), foreign key (a) references u (a) on delete set null)")
    assert not any(one.startswith(("call ", "type set")) for one in found)


def test_a_crowded_statement_is_counted_only_so_far() -> None:
    crowded = aspects("select " + ", ".join(f"f{number}(1)" for number in range(30)))
    assert len(counted(crowded)) == 12


@given(st.text(max_size=80))
def test_whatever_is_written_has_aspects_or_none(text: str) -> None:
    assert isinstance(aspects(text), list)


def test_an_argument_has_a_kind() -> None:
    kinds = [
        kind_of([token]) for token in ("1", "1.5", "'a'", "''", "'2024-01-01'", "'{}'", "null", "*", "a", "@x", "true")
    ]
    assert kinds == [
        *("integer", "decimal", "text", "empty", "temporal", "document", "null", "star", "column", "variable", "truth"),
    ]
    assert kind_of(["a", "+", "1"]) == ""
