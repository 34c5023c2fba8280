import pytest

from orchestrator.generate.split import parts_of


@pytest.mark.parametrize(
    ("sql", "items", "rest"),
    [
        ("select a, abs(b, 1) from t", ("a", "abs(b, 1)"), "from t"),
        ("select (select count(*) from u), 'x, y' from t", ("(select count(*) from u)", "'x, y'"), "from t"),
        ("SELECT (1), 2", ("(1)", "2"), ""),
        ("select(1), 2", ("(1)", "2"), ""),
    ],
)
def test_a_query_is_its_items_and_the_rest(sql: str, items: tuple[str, ...], rest: str) -> None:
    found = parts_of(sql)
    assert found is not None
    assert (found.items, found.rest.strip()) == (items, rest)


def test_what_is_no_plain_select_has_no_parts() -> None:
    assert parts_of("insert into t values (1)") is None
    assert parts_of("") is None
