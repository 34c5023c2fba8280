"""The XML around a callback's message: flat, small, and with no document type (documents 90238 and 90930)."""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from orchestrator.notify.wecom.crypto import BadCallbackError

_DEPTH = 16


def read_xml(raw: bytes) -> dict[str, str]:
    """The texts of the root's children, by name; a child's children are left out.

    A document type, an entity declaration or anything else that is not plain XML is :class:`BadCallbackError`.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, ValueError):
        raise BadCallbackError("a callback is no XML") from None
    return {name: "".join(parts) for name, parts in reader.found.items()}


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}  # joined at the end: a text comes in a piece a line
        self._path: list[str] = []

    def refuse(self, *_: object) -> None:
        raise BadCallbackError("a callback declares a document type")

    def start(self, name: str, _attributes: object) -> None:
        self._path.append(name)
        if len(self._path) > _DEPTH:
            raise BadCallbackError("a callback is nested too deeply")
        if len(self._path) == 2:
            self.found[name] = []

    def end(self, _name: str) -> None:
        self._path.pop()

    def text(self, data: str) -> None:
        if len(self._path) == 2:
            self.found[self._path[1]].append(data)


def write_xml(fields: Mapping[str, str]) -> str:
    """``fields`` as the children of ``<xml>``, each as CDATA."""
    parts = (f"<{name}><![CDATA[{_safe(value)}]]></{name}>" for name, value in fields.items())
    return f"<xml>{''.join(parts)}</xml>"


def _safe(value: str) -> str:
    allowed = "".join(char for char in value if char >= " " or char in "\t\n\r")
    return allowed.replace("]]>", "]]]]><![CDATA[>")
