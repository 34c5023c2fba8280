"""Tables in Go sources: system variables (``pkg/frontend/variables.go``) and errors (``pkg/common/moerr/error.go``)."""

from __future__ import annotations

import re

from orchestrator.surface.model import Variable

_VARIABLE = re.compile(r'^\t"(\w+)": \{\n((?:(?:\t\t.*)?\n)*)\t\},', re.M)
_SCOPE = re.compile(r"Scope:\s*Scope(\w+)")
_TYPE = re.compile(r"Type:\s*InitSystemVariable(?:System)?(\w+?)Type\((.*)\)")
_ERROR = re.compile(r'^\t(Err\w+):\s*\{.*?,\s*"((?:[^"\\]|\\.)*)"\},', re.M)


def variables(source: str) -> dict[str, Variable]:
    """System variables by name."""
    found = {}
    for name, body in _VARIABLE.findall(source):
        scope, kind = _SCOPE.search(body), _TYPE.search(body)
        found[name] = Variable(
            name,
            scope=scope[1].lower() if scope else "both",
            dynamic=bool(re.search(r"Dynamic:\s*true", body)),
            type=kind[1].lower() if kind else "string",
            values=tuple(part.strip().strip('"') for part in kind[2].split(",")[1:]) if kind else (),
        )
    return found


def errors(source: str) -> dict[str, str]:
    """Messages by error code."""
    return dict(_ERROR.findall(source))
