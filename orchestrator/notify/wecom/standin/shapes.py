"""Reading a JSON body that anybody may have written: what is of the wrong type is refused with 40058."""

from __future__ import annotations

from typing import Any, TypeVar

from orchestrator.notify.wecom.standin.answers import WRONG_JSON, Refusal

Json = dict[str, Any]
T = TypeVar("T")


def mapping(parent: Json, name: str) -> Json:
    """The object ``name``; empty when it is absent."""
    return _typed(parent, name, dict, {})


def string(parent: Json, name: str) -> str:
    """The text ``name``; empty when it is absent."""
    return _typed(parent, name, str, "")


def objects(parent: Json, name: str) -> list[Json]:
    """The list of objects ``name``; empty when it is absent."""
    return [mapping({name: item}, name) for item in _typed(parent, name, list, [])]


def strings(parent: Json, name: str) -> list[str]:
    """The list of texts ``name``; empty when it is absent."""
    return [string({name: item}, name) for item in _typed(parent, name, list, [])]


def integer(parent: Json, name: str, default: int = 0) -> int:
    """The whole number ``name``; ``default`` when it is absent."""
    value = _typed(parent, name, int, default)
    if isinstance(value, bool):
        raise Refusal(40058, f"{WRONG_JSON}{name} is no int")
    return value


def _typed(parent: Json, name: str, kind: type[T], default: T) -> T:
    value = parent.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise Refusal(40058, f"{WRONG_JSON}{name} is no {kind.__name__}")
    return value
