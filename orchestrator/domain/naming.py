"""What people mean by the name of a task: its id, or that of a category which was split into parts; whose a case is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from orchestrator.domain.errors import UnknownRunError, nearest
from orchestrator.domain.plan import whole_of

#: Characters of a name that are repeated in an error.
_SHOWN = 200


def tasks_named(name: str, ids: Iterable[str], where: str) -> list[str]:
    """Of ``ids`` the one that is ``name``, or all parts of the category that it names.

    Raises :class:`UnknownRunError`, which says ``where`` there is no such task and names the nearest.
    """
    known = list(ids)
    found = [name] if name in known else [task for task in known if whole_of(task) == name]
    if not found:
        raise UnknownRunError(f"{where} has no task {name[:_SHOWN]!r}", nearest(name[:_SHOWN], known))
    return found


def script_of(category: str, file: str, case: str) -> str | None:
    """The script of a SQL case, relative to its category; None where ``file``, a path in the tree, is none of it.

    A folder above the category or below it may be called the same: the name of the ``case``, ``join/inner/a.sql:7``,
    begins with the category's.
    """
    path = case.rpartition(":")[0]
    inside = path.removeprefix(f"{category.rpartition('/')[2]}/")
    return inside if inside != path and f"/{file}".endswith(f"/{category}/{inside}") else None


def task_named(name: str, ids: Iterable[str], where: str) -> str:
    """The one task that is meant; of a category in parts, a part must be named (:class:`UnknownRunError`)."""
    found = tasks_named(name, ids, where)
    if len(found) > 1:
        raise UnknownRunError(f"{where} has {name} in {len(found)} parts", f"Name one of {', '.join(found)}.")
    return found[0]


def case_name(said: str, limit: int) -> str:
    """The name of a case: what its test is called, in one line of ``limit`` characters; two that are cut stay two."""
    name = re.sub(r"[\x00-\x1f\x7f]", "?", said)
    if len(name) <= limit:
        return name
    return f"{name[: limit - 9]}…{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
