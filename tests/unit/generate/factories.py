"""Inputs of generations, small enough to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.generate.draft import Draft, Written
from orchestrator.generate.executor import Answer, Recorded
from orchestrator.generate.history import Past
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.library import Library, read_script
from orchestrator.surface.matrixone.reader import MatrixOneReader
from orchestrator.surface.model import ChangedFile
from orchestrator.surface.reader import Surfaces
from orchestrator.surface.targets import targets
from tests.unit.surface.product import FILES, FileTree

CASES = {
    "function/ascii.sql": """
create table a1 (id int primary key, b varchar(10));
insert into a1 values (1, 'x'), (2, null);
select ascii(b), ascii('a'), ascii(null) from a1 order by id;
select ascii(upper(b)) from a1 where id > 1 order by id;
drop table a1;
""",
    "snapshot/snapshot.sql": """
create table s1 (id int);
create snapshot sp1 for account sys;
show snapshots;
drop snapshot sp1;
drop table s1;
""",
    "join/join.sql": "select * from nowhere join elsewhere on nowhere.a = elsewhere.a;\n",
}


def make_inputs(
    *changes: ChangedFile, title: str = "fix: ascii of empty text", cases: Mapping[str, str] | None = None
) -> Inputs:
    """Inputs over the product of `tests.unit.surface.product`."""
    changed = changes or (ChangedFile("pkg/sql/plan/function/func_unary.go", ("AsciiString",)),)
    surface = Surfaces(MatrixOneReader()).at(FileTree(FILES))
    library = Library({path: read_script(text) for path, text in (CASES if cases is None else cases).items()})
    return Inputs(title, tuple(changed), surface, tuple(targets(surface, changed)), library, Past(()))


def make_draft(*statements: str, path: str = "function/gen_1_01_x.test", source: str = "functions") -> Draft:
    """A draft of these statements."""
    return Draft(path, "a draft", tuple(Written(one) for one in statements), source)


class ScriptedServer:
    """An executor that answers from a table; what it does not know it accepts without a result."""

    def __init__(
        self,
        answers: Mapping[str, Answer | Sequence[Answer]],
        version: str = "8.0-MatrixOne",
        leaves: Mapping[str, str] | None = None,
    ) -> None:
        self.version = version
        self.ran: list[str] = []
        self.tidied: frozenset[str] = frozenset()
        self.left: set[str] = set()
        #: By path of a draft what of its expectations does not hold, the first time and those after it.
        self.differs: dict[str, Sequence[Mapping[int, str]]] = {}
        self._answers, self._leaves = answers, leaves or {}
        self._times: dict[str, int] = {}

    def run(self, statements: Sequence[str], database: str) -> list[Answer]:
        return [self._answer(sql) for sql in statements]

    def _answer(self, sql: str) -> Answer:
        self.ran.append(sql)
        if sql.startswith("create account"):
            self.left.add(f"account {sql.split()[2]}")
        if sql in self._leaves:
            self.left.add(self._leaves[sql])
        known = self._answers.get(sql, Answer())
        if isinstance(known, Answer):
            return known
        self._times[sql] = self._times.get(sql, -1) + 1
        return known[self._times[sql] % len(known)]

    def recorded(self, scripts: Mapping[str, str]) -> dict[str, Recorded]:
        found = {}
        for path, script in scripts.items():
            times = self._times[path] = self._times.get(path, -1) + 1
            differs = self.differs.get(path, ())
            found[path] = Recorded(f"{script}recorded\n", differs[times] if times < len(differs) else {})
        return found

    def objects(self) -> frozenset[str]:
        return frozenset(self.left)

    def tidy(self, left: frozenset[str]) -> None:
        self.tidied = left
        self.left -= left
