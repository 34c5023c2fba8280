"""How well what SQL reaches a change fits each case: its functions, statements and variables, its errors' messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.history.casebook import Casebook
from orchestrator.history.question import Spoken
from orchestrator.history.words import text_words
from orchestrator.surface.model import Kind
from orchestrator.surface.reach import Reach, Reached

#: What a call between the SQL and the change leaves of its weight.
_DECAY = 0.5
#: Where a message of an error has what went wrong.
_PLACE = re.compile(r"%[-+#0-9.]*[a-zA-Z]|%%")


def words_of(reach: Reach, reached: Reached) -> Iterable[str]:
    """The words of something that reaches a change, in the spelling of cases; of an error those of its message."""
    text = _PLACE.sub(" ", reach.errors.get(reached.name, "")) if is_error(reached) else reached.name
    return text_words(text)


def is_error(reached: Reached) -> bool:
    """Whether it is an error, which results speak of; scripts and paths speak of everything else."""
    return reached.kind == Kind.ERROR.value


def surface_signals(book: Casebook, reached: Spoken) -> dict[str, dict[int, float]]:
    """BM25 of cases, by number: what the change implements or names, with its callers', of paths, and of messages."""
    said = [one for one in reached if not is_error(one[0])]
    every = _weights(said)
    return {
        "surface_own": book.scripts.weighed(_weights(one for one in said if not one[0].distance)),
        "surface_calls": book.scripts.weighed(every),
        "surface_path": book.paths.weighed(every),
        "surface_errors": book.results.weighed(_weights(one for one in reached if is_error(one[0]))),
    }


def _weights(reached: Iterable[tuple[Reached, tuple[str, ...]]]) -> dict[str, float]:
    """The words of what reaches a change; the nearer, the heavier."""
    found: dict[str, float] = {}
    for one, words in reached:
        for word in words:
            found[word] = max(found.get(word, 0.0), _DECAY**one.distance)
    return found
