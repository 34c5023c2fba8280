import re

from orchestrator.generate.draft import is_unstable, varies
from orchestrator.generate.synthesis import calls, catalogs
from orchestrator.surface.model import Overload, Role, SqlFunction


def test_a_function_of_the_grammar_is_spelled_as_it_wants() -> None:
    add = SqlFunction("date_add", Role.SCALAR, (Overload(("date", "int64", "int64")),))
    texts = [one.text for one in calls(add, "date_add")]
    assert "date_add('2024-02-29 12:34:56', interval 2 day)" in texts
    assert all(", interval " in one for one in texts)


def test_a_window_function_takes_what_the_standard_says() -> None:
    def lists(name: str) -> list[list[str]]:
        found = calls(SqlFunction(name, Role.WINDOW), name)
        return [re.findall(r"[^,]+", one.text.partition("(")[2].partition(")")[0]) for one in found]

    assert lists("rank") == [[]]
    assert {len(one) for one in lists("nth_value")} == {2}
    assert {len(one) for one in lists("lag")} == {1, 2, 3}


def test_a_table_that_a_case_makes_in_the_catalog_is_none_of_the_catalog() -> None:
    found = [one.text for one in catalogs(["mo_catalog.t1", "mo_catalog.mo_user", "system.statement_info"])]
    assert found == [
        "(select count(*) >= 0 from mo_catalog.mo_user)",
        "(select count(*) >= 0 from system.statement_info)",
    ]


def test_the_time_now_in_seconds_is_not_compared_and_that_of_a_date_is() -> None:
    assert is_unstable("unix_timestamp()")
    assert not is_unstable("unix_timestamp('2024-01-01')")


def test_what_ties_in_a_window_decide_is_not_compared() -> None:
    for sql in (
        "row_number() over (partition by a)",
        "lag(b, 1) over (order by a)",
        "sum(b) over (order by a rows between 1 preceding and current row)",
        "uuid()",
    ):
        assert varies(sql)
    for sql in ("rank() over (order by a)", "sum(b) over (order by a)", "lead_time", "count(*)"):
        assert not varies(sql)
