import pytest

from orchestrator.generate.aspects import aspects
from orchestrator.generate.variants import variants

JOINED = "select a.id, ifnull(b.x, 0) from a join b on a.id = b.id where a.x = 1 order by a.id"
GROUPED = "select x, count(*) from a group by x"


@pytest.mark.parametrize(
    ("sql", "dimension", "arities", "expected"),
    [
        (JOINED, "clause full join", (), "FULL JOIN b ON a.id = b.id"),
        (JOINED, "clause natural join", (), "NATURAL JOIN b WHERE"),
        (JOINED, "clause for update", (), "FOR UPDATE"),
        (JOINED, "clause offset", (), "LIMIT 2 OFFSET 1"),
        (JOINED, "operator <=>", (), "a.id <=> b.id"),
        (JOINED, "operator in", (), "a.x IN (1, NULL)"),
        (JOINED, "operator in tuple", (), "(a.x, a.x) IN ((1, 1))"),
        (JOINED, "call ifnull 2 null", (), "ifnull(b.x, NULL)"),
        (JOINED, "call nullif", (2,), "nullif(b.x, 0)"),
        (JOINED, "call hex", (1,), "hex(a.id)"),
        (JOINED, "statement explain analyze", (), "explain analyze select a.id"),
        (GROUPED, "clause with rollup", (), "GROUP BY x WITH ROLLUP"),
        (GROUPED, "clause having", (), "HAVING COUNT(*) > 0"),
        ("select a from t union select a from u", "clause intersect all", (), "INTERSECT ALL SELECT"),
        ("select a from t where a in (1)", "operator not in", (), "a NOT IN (1)"),
    ],
)
def test_one_step_from_a_query(sql: str, dimension: str, arities: tuple[int, ...], expected: str) -> None:
    found = list(variants(sql, dimension, arities))
    assert any(expected.lower() in one.lower() for one in found), found
    assert all(dimension in aspects(one) for one in found)


@pytest.mark.parametrize(
    ("sql", "dimension"),
    [
        (JOINED, "clause join"),  # it does that already
        (JOINED, "clause no such"),
        (JOINED, "clause with rollup"),  # nothing is grouped
        ("select 1", "operator <=>"),
        ("select count(*)", "statement explain analyze"),  # a plan of nothing
        ("insert into a values (1)", "clause for update"),
        ("select (((", "operator in"),
        ("", "operator in"),
    ],
)
def test_where_there_is_no_such_step_there_is_no_variant(sql: str, dimension: str) -> None:
    assert not list(variants(sql, dimension))
