from orchestrator.surface.matrixone.reader import MatrixOneReader
from orchestrator.surface.model import Surface
from orchestrator.surface.reach import Reach, reach_of
from orchestrator.surface.reader import Surfaces
from tests.unit.surface.product import FILES, FileTree

FUNCTIONS = "pkg/sql/plan/function"


def made() -> Reach:
    return reach_of(Surfaces(MatrixOneReader()).at(FileTree(FILES)))


def found(*functions: str, files: tuple[str, ...] = (), symbols: tuple[str, ...] = ()) -> list[tuple[int, str, str]]:
    return [(one.distance, one.kind, one.name) for one in made().of(files, functions, symbols)]


def test_a_function_is_reached_by_what_it_implements_and_what_its_callers_do() -> None:
    assert (0, "function", "ascii") in found(f"{FUNCTIONS}:AsciiString")
    assert (1, "function", "ascii") in found(f"{FUNCTIONS}:firstByte")
    assert found("pkg/sql/plan:firstByte") == []
    (called,) = (one for one in made().of((), [f"{FUNCTIONS}:firstByte"], ()) if one.name == "ascii")
    assert called.by == "AsciiString"


def test_an_operator_is_reached_by_any_file_of_its_package() -> None:
    assert found(files=("pkg/sql/colexec/intersectall/new.go",)) == [(0, "operator", "intersect all")]


def test_errors_are_known_by_code_and_by_each_of_their_constructors() -> None:
    for symbol in ("ErrDivByZero", "moerr.ErrDivByZero", "moerr.NewDivByZero", "moerr.NewDivByZeroNoCtx"):
        assert found(symbols=(symbol,)) == [(0, "error", "ErrDivByZero")]
    assert found(symbols=("autocommit",)) == [(0, "variable", "autocommit")]


def test_a_surface_that_nothing_is_known_of_reaches_nothing() -> None:
    assert reach_of(Surface()).of(("pkg/a/a.go",), ("pkg/a:F",), ("F",)) == []
