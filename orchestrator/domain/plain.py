"""Nouns to plain data and back: what JSON and YAML can say, and the dataclasses of this package.

:func:`from_plain` checks keys and types with the dataclasses alone. It is how profiles, plans and results are read
where every millisecond counts; edges that meet foreign data let pydantic check the same dataclasses in full.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from enum import Enum
from typing import Any, TypeVar

from orchestrator.domain.errors import UsageError, nearest

T = TypeVar("T")


def to_plain(value: object) -> Any:  # noqa: ANN401 - dict, list, str, number, bool or None, by the value
    """Dataclasses to dictionaries, tuples to lists, enumerations to their values; all else as it is."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
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
    return typing.cast("T", _Reader(error).read(kind, value, where))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


class _Reader:
    def __init__(self, error: type[UsageError]) -> None:
        self.error = error

    def read(self, kind: Any, value: object, where: str) -> object:  # noqa: ANN401 - any annotation of a noun
        if dataclasses.is_dataclass(kind):
            return self._dataclass(typing.cast("type", kind), value, where)
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple:
            return self._tuple(args, value, where)
        if origin is dict:
            if not isinstance(value, dict):
                raise self.error(f"{where}: a mapping is needed, not {value!r}", "Write it as `key: value`.")
            return {str(key): self.read(args[1], item, f"{where}.{key}") for key, item in value.items()}
        if origin is typing.Literal:
            return self._word(value, [str(arg) for arg in args], where)
        if origin is types.UnionType:
            return None if value is None else self.read(args[0], value, where)
        return self._scalar(kind, value, where)

    def _tuple(self, args: tuple[Any, ...], value: object, where: str) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise self.error(f"{where}: a list is needed, not {value!r}", "Write it as a list.")
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(self.read(args[0], item, f"{where}[{n}]") for n, item in enumerate(value))
        if len(value) != len(args):
            raise self.error(f"{where}: {len(args)} values are needed, not {len(value)}", "Correct the list.")
        return tuple(self.read(arg, item, where) for arg, item in zip(args, value, strict=True))

    def _word(self, value: object, words: list[str], where: str) -> object:
        if value not in words:
            raise self.error(f"{where}: {value!r} is not one of {', '.join(words)}", nearest(str(value), words))
        return value

    def _scalar(self, kind: type, value: object, where: str) -> object:
        if issubclass(kind, Enum):
            try:
                return kind(value)
            except ValueError:
                words = [str(member.value) for member in kind]
                raise self.error(f"{where}: {value!r} is not one of {', '.join(words)}", "Correct the value.") from None
        wanted = (int, float) if kind is float else kind
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
            raise self.error(f"{where}: {kind.__name__} is needed, not {value!r}", "Correct the value.")
        return value

    def _dataclass(self, kind: type, value: object, where: str) -> object:
        if not isinstance(value, dict):
            raise self.error(f"{where}: a mapping is needed, not {value!r}", "Write it as `key: value`.")
        hints = _hints(kind)
        for key in value:
            if key not in hints:
                raise self.error(f"{where}: unknown key {key!r}", nearest(str(key), hints))
        for item in dataclasses.fields(kind):
            optional = item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING
            if not optional and item.name not in value:
                raise self.error(f"{where}: {item.name!r} is missing", "Add it.")
        return kind(**{key: self.read(hints[key], item, f"{where}.{key}") for key, item in value.items()})
