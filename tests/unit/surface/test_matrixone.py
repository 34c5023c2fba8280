from orchestrator.surface.matrixone.operators import spoken
from orchestrator.surface.matrixone.reader import MatrixOneReader
from orchestrator.surface.model import ChangedFile, Kind, Overload, Role, Surface, Variable
from orchestrator.surface.reader import Surfaces
from orchestrator.surface.targets import targets
from tests.unit.surface.product import FILES, FileTree


def read(files: dict[str, str] | None = None) -> Surface:
    return Surfaces(MatrixOneReader()).at(FileTree(FILES if files is None else files))


def test_a_function_has_its_names_role_and_overloads() -> None:
    ascii_function = read().functions["ord"]
    assert ascii_function.names == ("ascii", "ord")
    assert ascii_function.overloads == (Overload(("varchar", "int64"), "uint8"),)
    assert read().functions["upper"].role is Role.AGGREGATE


def test_an_operator_package_is_said_in_sql() -> None:
    operators = read().operators
    assert operators["pkg/sql/colexec/intersectall"] == ("intersect all",)
    assert "join" in operators["pkg/sql/colexec/hashjoin"]
    assert spoken("frobnicate", {"order", "by"}) == ()


def test_the_grammar_gives_statements_without_literals_and_quoted_braces() -> None:
    assert [(one.name, one.node) for one in read().statements] == [
        ("create snapshot for", "CreateSnapShot"),
        ("create snapshot for account", "CreateSnapShot"),
    ]
    assert "UNUSED" not in read().keywords


def test_variables_and_errors_are_read() -> None:
    surface = read()
    assert surface.variables["autocommit"] == Variable("autocommit", "both", True, "bool")
    assert surface.variables["port"].values == ("0", "65535", "false")
    assert surface.errors == {"ErrDivByZero": "division by zero"}


def test_a_tree_without_the_registries_has_an_empty_surface() -> None:
    surface = read({"README.md": "nothing"})
    assert not surface.functions
    assert not surface.statements


def test_a_blob_is_read_once_and_a_change_of_one_file_reads_one_file() -> None:
    surfaces = Surfaces(MatrixOneReader())
    surfaces.at(FileTree(FILES))
    again = FileTree(FILES)
    surfaces.at(again)
    assert again.reads == 0
    changed = FileTree({**FILES, "pkg/common/moerr/error.go": ""})
    assert surfaces.at(changed).errors == {}
    assert 0 < changed.reads <= 2  # once for the table, once for its calls


def test_functions_in_from_are_read_from_the_switch_that_prepares_them() -> None:
    switch = '\tswitch f.FuncName {\n\tcase "unnest", "flatten":\n\t\ts, err = unnestPrepare(p, f)\n\tdefault:\n\t}\n'
    surface = read({**FILES, "pkg/sql/colexec/table_function/table_function.go": f"package t\n{switch}"})
    assert surface.functions["flatten"].role is Role.TABLE
    assert surface.functions["unnest"].implementations == ("unnestPrepare",)
    change = ChangedFile("pkg/sql/colexec/table_function/unnest.go", ("unnestPrepare",), ('x == "flatten"',))
    assert [(one.distance, one.name) for one in targets(surface, [change]) if one.kind is Kind.FUNCTION] == [
        (0, "flatten"),
        (0, "unnest"),
    ]
