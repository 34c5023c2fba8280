"""The history model as a value and as a file: what was learned, from which repository, until when."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.domain.errors import BadModelError
from orchestrator.garbage import without_collection
from orchestrator.history.casebook import Casebook
from orchestrator.history.code import Code
from orchestrator.history.packing import (
    pack_book,
    pack_past,
    pack_ranker,
    pack_reach,
    time_of,
    unpack_book,
    unpack_past,
    unpack_ranker,
    unpack_reach,
)
from orchestrator.history.past import Past
from orchestrator.history.ranker import Ranker

#: Of the file; a model of another scheme is refused.
SCHEME = 6
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_AGAIN = "Make it again with `mo-testplan learn --repo DIR -o FILE`."


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned from the history of one repository."""

    #: Name of the profile it was made with, and the first commit of the line it was made from.
    profile: str
    repository: str
    #: The last commit learned, and its time in seconds since 1970.
    head: str
    time: int
    past: Past
    book: Casebook
    #: None when there were too few commits to learn how far to trust what.
    ranker: Ranker | None
    #: The code at ``head``.
    code: Code = field(default_factory=Code)


def save_model(model: Model, path: Path) -> int:
    """Write a model; the file is there whole or not at all. Returns its size in bytes."""
    document = {
        "scheme": SCHEME,
        "profile": model.profile,
        "repository": model.repository,
        "head": model.head,
        "time": model.time,
        "past": pack_past(model.past),
        "book": pack_book(model.book),
        "imports": model.code.imports,
        "reach": pack_reach(model.code.reach),
        "ranker": pack_ranker(model.ranker) if model.ranker else None,
    }
    data = json.dumps(document, separators=(",", ":")).encode("utf-8", "surrogatepass")
    packed = gzip.compress(data, compresslevel=6, mtime=0)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(packed)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise BadModelError(f"{path} cannot be written: {error.strerror}", "Name another file with -o.") from None
    return len(packed)


def load_model(path: Path) -> Model:
    """Read a model.

    Raises:
        BadModelError: there is none, it is damaged, or of another scheme.
    """
    with without_collection():
        return _load(path)


def _load(path: Path) -> Model:
    try:
        document: Any = json.loads(gzip.decompress(path.read_bytes()), parse_constant=_refuse)
    except (EOFError, ValueError, zlib.error, gzip.BadGzipFile, RecursionError) as error:
        raise BadModelError(f"the model {path} is damaged: {error}", _AGAIN) from None
    except OSError as error:
        raise BadModelError(f"the model {path} cannot be read: {error.strerror or error}", _AGAIN) from None
    if not isinstance(document, dict) or document.get("scheme") != SCHEME:
        scheme = document.get("scheme") if isinstance(document, dict) else None
        raise BadModelError(f"the model {path} is of scheme {scheme!r}; this program reads {SCHEME}", _AGAIN)
    try:
        return _model(document)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise BadModelError(f"the model {path} is damaged: {type(error).__name__}: {error}", _AGAIN) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _model(document: dict[str, Any]) -> Model:
    packed = document["ranker"]
    if not _COMMIT.fullmatch(str(document["head"])):  # git takes it for an option, which may write files
        raise ValueError("its head is no commit")
    return Model(
        str(document["profile"]),
        str(document["repository"]),
        str(document["head"]),
        time_of(document["time"]),
        unpack_past(document["past"]),
        unpack_book(document["book"]),
        unpack_ranker(packed) if packed else None,
        Code(
            {str(package): tuple(names) for package, names in document["imports"].items()},
            unpack_reach(document["reach"]),
        ),
    )
