from __future__ import annotations

import pytest

from workers.bvt.roworder import ordered_columns, top_level_order


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("select a from t order by a;", ["a"]),
        ("select a from t ORDER\n BY 1 desc, t.b ASC nulls last limit 3;", ["1", "t.b"]),
        ("with c as (select 1 order by 1) select * from c order by `x y`, f(a, b) desc", ["x y", "f(a, b)"]),
        ("/* hint */ (select 1) union (select 2) order by 1;", ["1"]),
        ("select 1 order by a -- , b\n, c;", ["a", "c"]),
    ],
)
def test_these_order_their_rows(sql: str, keys: list[str]) -> None:
    assert top_level_order(sql) == keys


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t;",
        "(select a from t order by a);",
        "select a, (select b from c order by d limit 1) from t;",
        "select rank() over (order by a) from t;",
        "select group_concat(a order by b) from t;",
        "select 'order by x', \"order by y\" from t -- order by z",
        "select a from t /* order by a */;",
        "explain select a from t order by a;",
        "insert into t select 1 order by 1;",
        "select 1; select 2 order by 1;",
        "show tables;",
        "select 1 /* order by 1;",
        "select 'x order by 1;",
        'select "x order by 1\\',
        "select " + "\\'" * 1_000_000 + " order by 1",
        "select " + "/*" * 1_000_000 + " order by 1",
        "",
    ],
)
def test_these_do_not(sql: str) -> None:
    assert top_level_order(sql) is None


def test_keys_are_columns_by_position_or_label() -> None:
    assert ordered_columns(["2", "A", "t.b", "x y"], ["a", "b", "x y"]) == [1, 0, 1, 2]


@pytest.mark.parametrize("key", ["4", "0", "a+1", "c", "d"])
def test_other_keys_are_unknown(key: str) -> None:
    assert ordered_columns(["a", key], ["a", "D ", "d.d"]) is None


def test_a_name_of_two_columns_is_unknown_when_qualified() -> None:
    assert ordered_columns(["t.d"], ["d", "d"]) is None
