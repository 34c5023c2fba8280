from orchestrator.surface.matrixone.reader import MatrixOneReader
from orchestrator.surface.model import ChangedFile, Kind, SqlFunction, Surface
from orchestrator.surface.reader import Surfaces
from orchestrator.surface.targets import targets
from tests.unit.surface.product import FILES, FileTree

FUNCTIONS = "pkg/sql/plan/function"


def found(change: ChangedFile, hops: int = 3) -> list[tuple[int, Kind, str]]:
    surface = Surfaces(MatrixOneReader()).at(FileTree(FILES))
    return [(one.distance, one.kind, one.name) for one in targets(surface, [change], hops)]


def test_a_changed_implementation_is_its_function() -> None:
    change = ChangedFile(f"{FUNCTIONS}/func_unary.go", ("AsciiString",))
    assert (0, Kind.FUNCTION, "ascii") in found(change)


def test_callers_are_followed_and_counted() -> None:
    change = ChangedFile(f"{FUNCTIONS}/func_unary.go", ("firstByte",))
    assert found(change) == [(1, Kind.FUNCTION, "ascii")]
    assert found(change, hops=0) == []


def test_the_same_name_in_another_package_is_another_function() -> None:
    assert found(ChangedFile("pkg/sql/plan/build_ddl.go", ("firstByte",))) == []


def test_a_helper_of_a_statement_serves_the_statement() -> None:
    names = {name for _, _, name in found(ChangedFile("pkg/sql/plan/build_ddl.go", ("checkName",)))}
    assert names == {"create snapshot for", "create snapshot for account"}


def test_an_operator_package_is_a_target_whatever_changes_in_it() -> None:
    assert found(ChangedFile("pkg/sql/colexec/intersectall/new.go")) == [(0, Kind.OPERATOR, "intersect all")]


def test_registry_lines_that_were_only_aligned_anew_say_nothing() -> None:
    change = ChangedFile(
        f"{FUNCTIONS}/function_id.go", added=("	ASCII   = 1", "	UPPER   = 2"), deleted=("	ASCII = 1",)
    )
    assert found(change) == [(0, Kind.FUNCTION, "upper")]


def test_variables_errors_and_grammar_tokens_are_found_by_what_the_lines_say() -> None:
    said = ChangedFile(
        "pkg/frontend/session.go", added=('if v := get("autocommit"); v { return moerr.NewDivByZero(ctx) }',)
    )
    assert found(said) == [(0, Kind.ERROR, "ErrDivByZero"), (0, Kind.VARIABLE, "autocommit")]
    grammar = ChangedFile("pkg/sql/parsers/dialect/mysql/mysql_sql.y", added=("    CREATE SNAPSHOT ident",))
    assert {name for _, _, name in found(grammar)} == {"create", "snapshot"}


def test_comments_and_generated_files_say_nothing() -> None:
    assert found(ChangedFile("pkg/frontend/session.go", added=('// see "autocommit"',))) == []
    assert found(ChangedFile("pkg/sql/parsers/dialect/mysql/mysql_sql.go", added=("moerr.NewDivByZero()",))) == []


def test_a_package_that_is_imported_names_no_function() -> None:
    surface = Surface(functions={"time": SqlFunction("time", names=("time",))})
    imported = ChangedFile("pkg/a.go", (), ("import (", '\t"time"', '\tt2 "time"', ")"))
    assert not targets(surface, [imported])
    assert targets(surface, [ChangedFile("pkg/a.go", (), ('\tcase "time":',))])
