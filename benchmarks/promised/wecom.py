"""WeCom, both ways."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.promised.measure import INPUTS, MissingError, Promise

CHAT = "tests/acceptance/test_wecom_chat.py"
CALLBACKS = ("tests/unit/notify/test_crypto.py", "tests/integration/test_wecom_callbacks.py")


def seconds(selection: str, limits: dict[str, float]) -> tuple[object, bool]:
    """What an acceptance test measured, against limits in seconds; the test itself must pass, too."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        failed, passed = INPUTS.tests(CHAT, "-k", selection, MO_TESTPLAN_FIGURES=str(file))
        figures = json.loads(file.read_text()) if file.exists() else {}
    told = {name: figures.get(name) for name in limits}
    return told | {"failed": failed}, passed and all(figures.get(name, 1e9) <= most for name, most in limits.items())


def load(part: str, *words: str) -> tuple[object, bool]:
    """A small size of the campaign."""
    figures = INPUTS.benchmark("benchmarks.wecom", "--part", part, *words)
    if not isinstance(figures, dict):
        raise MissingError("the benchmark gave no figures")
    return {name: value for name, value in figures.items() if name != "ok"}, bool(figures["ok"])


def _tests(*selection: str) -> Callable[[], tuple[object, bool]]:
    return functools.partial(INPUTS.tests, *selection)


PROMISES = [
    Promise("wecom-vectors", "0 fail", _tests(*CALLBACKS)),
    Promise(
        "wecom-loop",
        "tree dead <= 1 s, card <= 2 s",
        lambda: seconds("group_by_words", {"tree_dead": 1.0, "card_updated": 2.0}),
    ),
    Promise("wecom-controls", "one connection <= 15 s", lambda: seconds("holder_of_the_bot", {"bot_again": 15.0})),
    Promise("wecom-callbacks", "answered <= 1 s, once", lambda: load("callbacks", "--seconds", "10")),
    Promise("wecom-endings", "limits kept, none missing", lambda: load("endings", "--runs", "150", "--minute", "8")),
    Promise("wecom-page", "0 fail", _tests("tests/integration/test_wecom_page.py")),
]
