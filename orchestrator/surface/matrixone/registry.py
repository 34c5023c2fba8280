"""The function registry: ``pkg/sql/plan/function``, lists of ``{functionId: ASCII, … Overloads: …}``."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from orchestrator.surface.model import Overload, Role

_ENTRY = re.compile(r"^\t\tfunctionId:\s*(\w+),", re.M)
_OVERLOAD = re.compile(r"overloadId:\s*\d+,")
_ARGUMENTS = re.compile(r"\bargs:\s*\[\]types\.T\{([^}]*)\}")
_RETURN = re.compile(r"return types\.T_(\w+)\.ToType\(\)")
_TYPE = re.compile(r"T_(\w+)")
_LOGIC = re.compile(
    r"newOp\w{0,40}:.{0,500}?return (?:\w+\(\)\.|\w+\.)?([A-Za-z]\w*)|aggRegister:\s*(?:aggexec\.)?(\w+)", re.S
)
_CHECK = re.compile(r"^\t\tcheckFn:\s*(\w+),", re.M)
_REGISTERED = re.compile(r'^\t"([^"]+)":\s*([A-Z]\w*),', re.M)
_CASE = re.compile(r'^\tcase ((?:"\w+"(?:, )?)+):\n(.*?)(?=^\tcase |^\tdefault:)', re.M | re.S)
_PREPARED = re.compile(r"\b(\w+Prepare)\(")
_PLAIN = frozenset({"nil", "func", "true", "false"})


class Entry(NamedTuple):
    """One entry of a list."""

    constant: str
    role: Role
    overloads: tuple[Overload, ...]
    implementations: frozenset[str]


def entries(source: str) -> tuple[Entry, ...]:
    """The entries of one list file."""
    found = list(_ENTRY.finditer(source))
    ends = pairwise([*(match.end() for match in found), len(source)])
    return tuple(_entry(match[1], source[start:end]) for match, (start, end) in zip(found, ends, strict=True))


def _entry(constant: str, text: str) -> Entry:
    parts = _OVERLOAD.split(text)
    overloads = []
    for part in parts[1:]:
        arguments, returns = _ARGUMENTS.search(part), _RETURN.search(part)
        overloads.append(
            Overload(tuple(_TYPE.findall(arguments[1])) if arguments else (), returns[1] if returns else None)
        )
    names = {name for found in _LOGIC.findall(text) for name in found if name}
    names.update(_CHECK.findall(text))
    return Entry(constant, _role(text), tuple(overloads), frozenset(names - _PLAIN))


def _role(text: str) -> Role:
    if "isWin:" in text or "Function_WIN" in text:
        return Role.WINDOW
    return Role.AGGREGATE if "isAgg:" in text else Role.SCALAR


def registered(source: str) -> dict[str, str]:
    """SQL name to constant, as ``functionIdRegister`` maps them."""
    return dict(_REGISTERED.findall(source))


def table_functions(source: str) -> dict[str, frozenset[str]]:
    """Functions that stand in FROM, by name, with the code that prepares them: the cases of one switch."""
    return {
        name: frozenset(_PREPARED.findall(body))
        for names, body in _CASE.findall(source)
        for name in re.findall(r"\w+", names)
    }
