"""Nouns to plain data and back: what JSON and YAML can say, and the dataclasses of this package.

:func:`from_plain` checks keys and types with the dataclasses alone. It is how profiles, plans and results are read
where every millisecond counts; edges that meet foreign data let pydantic check the same dataclasses in full.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from orchestrator.domain.errors import UsageError, nearest

T = TypeVar("T")
#: Where a value stands: its origin, or (where its holder stands, how it is reached from there). Put into words for a
#: message only.
Where: TypeAlias = "str | tuple[Where, str]"
#: (value, where it stands, what to raise) → the noun.
Reader: TypeAlias = "Callable[[object, Where, type[UsageError]], object]"


def to_plain(value: object) -> Any:  # noqa: ANN401 - dict, list, str, number, bool or None, by the value
    """Dataclasses to dictionaries, tuples to lists, enumerations to their values; all else as it is."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    kind: Any = type(value)
    names = _names(kind)
    if names is not None:
        return {name: to_plain(getattr(value, name)) for name in names}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def from_plain(kind: type[T], value: object, where: str, error: type[UsageError] = UsageError) -> T:
    """Build the dataclass ``kind`` from plain data.

    ``where`` names the origin in messages. Unknown or missing keys and wrong types raise ``error``; an unknown key's
    message names the nearest known one.
    """
    return typing.cast("T", _reader(typing.cast("Any", kind))(value, where, error))


def from_json(kind: type[T], text: str, where: str, error: type[UsageError] = UsageError) -> T:
    """:func:`from_plain` of JSON, whoever wrote it: what is none, or nests too deeply, raises ``error``, too."""
    try:
        return from_plain(kind, json.loads(text), where, error)
    except (ValueError, RecursionError) as problem:
        raise error(f"{where} is no JSON: {problem}", "Look at what wrote it.") from None


@functools.cache
def _names(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass; None for any other type."""
    return tuple(item.name for item in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


@functools.cache
def _reader(kind: Any) -> Reader:  # noqa: ANN401 - any annotation of a noun
    """What reads a value for an annotation; found once an annotation, since a worker reads a spec for every shard."""
    if dataclasses.is_dataclass(kind):
        return _dataclass(typing.cast("type", kind))
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _every(_reader(args[0])) if len(args) == 2 and args[1] is Ellipsis else _each(args)
    if origin is dict:
        return _mapping(_reader(args[1]))
    if origin is typing.Literal:
        return functools.partial(_word, [str(arg) for arg in args])
    if origin in (types.UnionType, typing.Union):  # a Literal or None is still the older one
        return _optional(_reader(args[0]))
    return functools.partial(_member, kind) if issubclass(kind, Enum) else _scalar(kind)


def _dataclass(kind: type) -> Reader:
    missing = dataclasses.MISSING
    fields = dataclasses.fields(kind)
    required = [item.name for item in fields if item.default is missing and item.default_factory is missing]

    @functools.cache  # a noun may hold nouns of its own kind
    def readers() -> dict[str, Reader]:
        return {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}

    def read(value: object, where: Where, error: type[UsageError]) -> object:
        if not isinstance(value, dict):
            raise error(f"{_said(where)}: a mapping is needed, not {value!r}", "Write it as `key: value`.")
        known = readers()
        for key in value:
            if key not in known:
                raise error(f"{_said(where)}: unknown key {key!r}", nearest(str(key), known))
        for name in required:
            if name not in value:
                raise error(f"{_said(where)}: {name!r} is missing", "Add it.")
        return kind(**{key: known[key](item, (where, f".{key}"), error) for key, item in value.items()})

    return read


def _every(one: Reader) -> Reader:
    def read(value: object, where: Where, error: type[UsageError]) -> object:
        if not isinstance(value, list):
            raise error(f"{_said(where)}: a list is needed, not {value!r}", "Write it as a list.")
        return tuple(one(item, (where, f"[{n}]"), error) for n, item in enumerate(value))

    return read


def _each(args: tuple[Any, ...]) -> Reader:
    ones = [_reader(arg) for arg in args]

    def read(value: object, where: Where, error: type[UsageError]) -> object:
        if not isinstance(value, list):
            raise error(f"{_said(where)}: a list is needed, not {value!r}", "Write it as a list.")
        if len(value) != len(ones):
            raise error(f"{_said(where)}: {len(ones)} values are needed, not {len(value)}", "Correct the list.")
        return tuple(one(item, where, error) for one, item in zip(ones, value, strict=True))

    return read


def _mapping(one: Reader) -> Reader:
    def read(value: object, where: Where, error: type[UsageError]) -> object:
        if not isinstance(value, dict):
            raise error(f"{_said(where)}: a mapping is needed, not {value!r}", "Write it as `key: value`.")
        return {str(key): one(item, (where, f".{key}"), error) for key, item in value.items()}

    return read


def _optional(one: Reader) -> Reader:
    return lambda value, where, error: None if value is None else one(value, where, error)


def _word(words: list[str], value: object, where: Where, error: type[UsageError]) -> object:
    if value not in words:
        said = f"{_said(where)}: {value!r} is not one of {', '.join(words)}"
        raise error(said, nearest(str(value), words))
    return value


def _member(kind: type[Enum], value: object, where: Where, error: type[UsageError]) -> object:
    try:
        return kind(value)
    except ValueError:
        words = ", ".join(str(member.value) for member in kind)
        raise error(f"{_said(where)}: {value!r} is not one of {words}", "Correct the value.") from None


def _scalar(kind: type) -> Reader:
    wanted = (int, float) if kind is float else kind

    def read(value: object, where: Where, error: type[UsageError]) -> object:
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
            raise error(f"{_said(where)}: {kind.__name__} is needed, not {value!r}", "Correct the value.")
        if kind is float and isinstance(value, int) and abs(value) > sys.float_info.max:
            raise error(f"{_said(where)}: a whole number beyond every {kind.__name__}", "Correct the value.")
        return value

    return read


def _said(where: Where) -> str:
    return where if isinstance(where, str) else f"{_said(where[0])}{where[1]}"
