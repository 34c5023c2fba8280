import re
from dataclasses import replace

import pytest

from orchestrator.generate.chance import Chance
from orchestrator.generate.columns import ARGUMENTS
from orchestrator.generate.generator import generate
from orchestrator.generate.library import read_script
from orchestrator.generate.retype import retyped
from orchestrator.generate.synthesis import calls, typed_calls
from orchestrator.surface.model import ChangedFile, Kind, Overload, SqlFunction, Target
from tests.unit.generate.factories import make_inputs

SCRIPT = """
create table r1 (id int primary key, a double, b varchar(10) not null, c decimal(10,2) default 0, key r1_k (id));
insert into r1 values (1, 1.5, 'x', 2), (2, null, 'y', 3), (3, abs(-1), 'z', 4);
insert into r1 (b, id, a) values ('w', 4, 2.5);
select a, b from r1 order by id;
create table r2 (id int);
select id from r2;
"""


def texts(kind: str) -> list[str]:
    """The statements of the script with a column of another type."""
    made = retyped(read_script(SCRIPT), kind, Chance(0))
    assert made is not None
    return [one.sql for one in made[0].statements]


def test_a_column_of_the_same_family_becomes_one_of_the_type_and_holds_its_edges() -> None:
    created, first, second, *_ = texts("decimal")
    assert "a decimal(20, 5), b varchar(10) not null, c decimal(10, 2)" in created.replace("(20,5)", "(20, 5)")
    assert first.count("null") == 1  # what was NULL stays it
    assert "(1, 1.5, 'x', 2)" in first
    assert "abs(-1)" in first
    assert re.search(r"\('w', 4, 1\.5\)", second)


def test_not_null_is_kept_and_text_gets_text() -> None:
    created, first, *_ = texts("text")
    assert "b text not null" in created
    assert "'abc'" in first
    assert "''" in first


def test_a_query_over_the_column_is_marked_and_nothing_else() -> None:
    made = retyped(read_script(SCRIPT), "decimal", Chance(0))
    assert made is not None
    script, positions = made
    assert positions == {3}
    assert ["over decimal" in one.aspects for one in script.statements] == [False, False, False, True, False, False]


@pytest.mark.parametrize("kind", ["json", "date", "uuid"])
def test_a_table_without_a_column_of_the_family_is_left_alone(kind: str) -> None:
    script = read_script("create table r1 (id int primary key);\nselect id from r1;\n")
    assert retyped(script, kind, Chance(0)) is None


def test_a_key_a_default_and_a_column_named_twice_keep_their_type() -> None:
    script = read_script(
        "create table k (a bigint primary key, b bigint default 5, c bigint, key (c));\nselect a from k;\n"
    )
    assert retyped(script, "smallint", Chance(0)) is None


def test_a_title_that_names_a_type_has_near_cases_over_it() -> None:
    cases = {
        "sum/sum.sql": "create table n (id int, a double);\ninsert into n values (1, 2);\nselect sum(a) from n;\n",
        "other.sql": "select 1;\n",
    }
    change = ChangedFile("pkg/sql/plan/function/sum.go", ("sumFill",))
    made = generate(make_inputs(change, title="fix: DECIMAL128 overflows", cases=cases), "1", 60)
    written = "\n".join(draft.text for draft in made.drafts)
    assert re.search(r"create table n \(id int, a decimal\(20, ?5\)\)", written)
    assert re.search(r"insert into n values \(1, 1\.5\)", written)


def test_a_changed_function_is_called_over_columns_of_its_overloads() -> None:
    overloads = (Overload(("uint64",)), Overload(("decimal128",)), Overload(("timestamp",)))
    inputs = make_inputs()
    surface = replace(inputs.surface, functions={"half": SqlFunction("half", overloads=overloads, names=("half",))})
    target = Target(0, Kind.FUNCTION, "half", "half.go implements it")
    made = generate(replace(inputs, surface=surface, targets=(target,), title="fix: half"), "1", 40)
    written = "\n".join(draft.text for draft in made.drafts)
    for column in ("c_bigint_unsigned", "c_decimal", "c_timestamp"):
        assert f"half({column})" in written


def test_calls_try_every_kind_of_argument_at_every_position() -> None:
    function = SqlFunction("strcmp", overloads=(Overload(("varchar", "int64")),), names=("strcmp",))
    tried = {aspect for call in calls(function, "strcmp") for aspect in call.aspects}
    for position, kinds in ((1, ARGUMENTS["text"]), (2, ARGUMENTS["integer"])):
        assert {f"call strcmp {position} {kind}" for kind in kinds} <= tried


def test_a_type_that_comes_twice_is_not_one_column_beside_itself() -> None:
    function = SqlFunction("most", overloads=(Overload(("int64", "int64", "varchar")),), names=("most",))
    assert [call.columns for call in typed_calls(function, "most")] == [("bigint", "int", "varchar")]
