"""What one Python file uses when it runs: modules it imports, and modules, programs and files that its strings name."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Strings that may name a module (``orchestrator.cli.main``) or a file (``config/demo.yaml``).
_NAME = re.compile(r"[A-Za-z0-9_][\w./-]{1,199}")
#: Characters of a file beyond which nobody wrote it by hand.
MAX_SOURCE = 2_000_000
#: In a source of another Python: a statement that imports, and the head of a test.
_IMPORT = re.compile(r"^[ \t]*((?:from[ \t]+[.\w]+[ \t]+)?import[ \t]+(?:\([^()]*\)|[^\n;#()\\]+))", re.MULTILINE)
_TEST = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+test", re.MULTILINE)
#: Characters of a dotted name, and imports of a file, that are read: a longer one names no module.
_LONGEST, _MOST = 1000, 10_000
#: Dots in a line that imports: reading a name of many parts takes their square, in time and in memory.
_MOST_DOTS = 200
_CONTINUED = re.compile(r"\\(?:\r\n?|\n)")
#: After a module's name: everything directly below it, because the rest of the name is only known at run time.
BELOW = ".*"


@dataclass(frozen=True, slots=True)
class Outline:
    """The uses of one file, by dotted name or as written, and the number of its tests."""

    #: Absolute dotted names, ``a.b.c`` for ``from a.b import c`` too; ``a.b.*`` for all directly below ``a.b``.
    imports: frozenset[str] = frozenset()
    #: Strings that look like a module or a file.
    words: frozenset[str] = frozenset()
    #: Names after ``-m`` in a list of words: programs that it starts.
    programs: frozenset[str] = frozenset()
    #: Functions called ``test_…``.
    tests: int = 0


def outline_of(source: str, module: str, *, package: bool) -> Outline:
    """Read a file; ``module`` is its own dotted name, ``package`` whether it is an ``__init__.py``.

    Imports for the type checker alone do not count. Of a file that this Python cannot read, because it is for a newer
    one, say, the lines that import count.
    """
    if len(source) > MAX_SOURCE:
        return Outline()
    home = module if package else module.rpartition(".")[0]
    tree = _parsed(source.removeprefix("\ufeff"))  # an editor's mark
    if tree is None:
        said = [node for text in set(_IMPORT.findall(source)) if (line := _parsed(text)) for node in line.body]
        return Outline(imports=_imported(said, home, module), tests=len(_TEST.findall(source)))
    nodes = list(_running(tree))
    return Outline(
        imports=_imported(nodes, home, module),
        words=frozenset(word for node in nodes for word in _words(node)),
        programs=frozenset(name for node in nodes for name in _programs(node)),
        tests=sum(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name.startswith("test") for n in nodes),
    )


def _parsed(source: str) -> ast.Module | None:
    lines = _CONTINUED.sub(" ", source).split("\n")
    if any(line.count(".") > _MOST_DOTS for line in lines if "import" in line or "from" in line):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a stranger's code deserves is not for our reader
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker sees."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _for_types(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _for_types(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"


def _imported(nodes: Iterable[ast.AST], home: str, module: str) -> frozenset[str]:
    names = (name for node in nodes for name in _imports(node, home, module))
    return frozenset(itertools.islice(names, _MOST))


def _imports(node: ast.AST, home: str, module: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if len(alias.name) <= _LONGEST)
    elif isinstance(node, ast.ImportFrom):
        parts = home.split(".") if home else []
        above = parts[: len(parts) - node.level + 1] if node.level else []
        origin = ".".join([*above, *([node.module] if node.module else [])])
        if len(origin) <= _LONGEST:
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names if origin and len(alias.name) <= _LONGEST)
    elif isinstance(node, ast.JoinedStr) and node.values:
        yield from _computed(node, module)


def _computed(node: ast.JoinedStr, module: str) -> Iterator[str]:
    """``f"a.b.{name}"`` and ``f"{__name__}.{name}"``: a module that is chosen at run time."""
    first, *rest = node.values
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.endswith("."):
        yield from [name + BELOW] if (name := first.value.rstrip(".")) else []
    elif isinstance(first, ast.FormattedValue) and isinstance(first.value, ast.Name) and len(rest) > 1:
        yield from [module + BELOW] if first.value.id == "__name__" else []


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
        yield node.value


def _programs(node: ast.AST) -> Iterator[str]:
    words = node.elts if isinstance(node, ast.List | ast.Tuple) else node.args if isinstance(node, ast.Call) else []
    texts = [word.value if isinstance(word, ast.Constant) else None for word in words]
    yield from (
        name
        for flag, name in itertools.pairwise(texts)
        if flag == "-m" and isinstance(name, str) and len(name) <= _LONGEST
    )
