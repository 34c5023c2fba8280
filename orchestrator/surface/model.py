"""The values of the surface: plain, frozen, made by a reader and read by planner and generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.surface.calls import CallIndex


class Kind(StrEnum):
    """What of the product's SQL a target is."""

    FUNCTION = "function"
    OPERATOR = "operator"
    STATEMENT = "statement"
    KEYWORD = "keyword"
    VARIABLE = "variable"
    ERROR = "error"


class Role(StrEnum):
    """How a SQL function is called."""

    SCALAR = "scalar"
    AGGREGATE = "aggregate"
    WINDOW = "window"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature. Types are lower-case SQL names as the product's registry spells them (``int64``, ``varchar``)."""

    arguments: tuple[str, ...]
    #: ``None`` when the registry computes it.
    returns: str | None = None


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """A function or operator of the registry, by its first name."""

    name: str
    role: Role = Role.SCALAR
    #: Empty when the registry checks arguments by code.
    overloads: tuple[Overload, ...] = ()
    #: Every name it is called by, ``name`` included, sorted.
    names: tuple[str, ...] = ()
    #: Identifiers of the product's code that the registry entry refers to (implementation, type check), sorted.
    implementations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A production of the grammar: ``words`` are its keywords in order, lower case; optional parts are left out."""

    words: tuple[str, ...]
    #: The node of the syntax tree it builds (``CreateSnapShot``).
    node: str
    #: The rule that holds it (``create_snapshot_stmt``).
    rule: str

    @property
    def name(self) -> str:
        """The keywords in a row: ``create snapshot for``."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Variable:
    """A system variable."""

    name: str
    #: ``global``, ``session`` or ``both``.
    scope: str = "both"
    #: Whether it can be set.
    dynamic: bool = False
    #: ``bool``, ``int``, ``uint``, ``double``, ``string``, ``enum``, ``set`` …
    type: str = "string"
    #: The values of an enum or set; the limits of a number.
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A function of the product's code: ``Func`` or ``Receiver.Method`` in a directory."""

    directory: str
    name: str


@dataclass(frozen=True, slots=True)
class Surface:
    """What a revision offers to SQL. Mappings are read-only by convention: they are shared between revisions."""

    #: By every name of a function, lower case.
    functions: Mapping[str, SqlFunction] = field(default_factory=dict)
    #: Directory of an operator's code to the SQL words that make it run (``intersect all``).
    operators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    #: Grammar token (``INTERSECT``) to keyword (``intersect``).
    keywords: Mapping[str, str] = field(default_factory=dict)
    #: By name.
    variables: Mapping[str, Variable] = field(default_factory=dict)
    #: Error code (``ErrDivByZero``) to message.
    errors: Mapping[str, str] = field(default_factory=dict)
    #: What code writes to mean something of SQL (``function.ABS``, ``tree.Clone``, ``ErrDivByZero``) to ``(kind,
    #: name)``; in the directory of the part before the point the point may be missing.
    symbols: Mapping[str, tuple[tuple[Kind, str], ...]] = field(default_factory=dict)
    #: Identifier of code to the SQL functions it implements, for code in one of the `homes`.
    implementations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    homes: tuple[str, ...] = ()
    #: Where the code is that executes plans: what it does is seen in ``explain analyze`` and in physical plans.
    executors: tuple[str, ...] = ()
    #: How the names of generated files end: what they mention means nothing.
    generated: tuple[str, ...] = ()
    #: Who refers to whom; absent in a surface made by hand.
    calls: CallIndex | None = None


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of the change, as `orchestrator.diff` knows it."""

    path: str
    #: Functions touched, as in `orchestrator.domain.change.FileChange`.
    functions: tuple[str, ...] = ()
    #: The lines without their marks. A line on both sides (moved, or aligned anew) is taken as unchanged.
    added: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Something SQL can say that reaches the change."""

    #: 0: the change names or implements it; else the calls between the change and what implements it.
    distance: int
    kind: Kind
    name: str
    #: For people: ``bind_replace.go: appendNodesForReplaceStmt, called by bindReplace``.
    why: str
