"""What a promise is, and the means by which promises are measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was measured; ``ok`` is None when the input is missing, and ``figure`` says which."""

    name: str
    figure: object
    limit: str
    ok: bool | None
    #: What it took, wall time, and processor time of what was started for it: 0 where another promise had run it.
    seconds: float = 0.0
    cpu: float = 0.0


class MissingError(Exception):
    """An input of a promise is not here."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A name, what it must be, and how it is measured: figure and whether it holds."""

    name: str
    limit: str
    measure: Callable[[], tuple[object, bool]]


@dataclass
class Inputs:
    """Benchmarks are run once, however many promises read them."""

    seen: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def benchmark(self, *words: str) -> Any:  # noqa: ANN401 - the benchmark's own JSON
        """The JSON document that ``python -m benchmarks.WORDS --format json`` ends with."""
        if words not in self.seen:
            done = run_python("-m", *words, "--format", "json")
            if not done.stdout.strip():
                raise MissingError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer")
            self.seen[words] = json.loads(done.stdout)
        return self.seen[words]

    def tests(self, *selection: str, **environ: str) -> tuple[object, bool]:
        """Tests that fail, of those selected; missing servers make them skip, which is no proof."""
        done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", *selection, **environ)
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr
        failed, passed = _number(last, "failed") + _number(last, "error"), _number(last, "passed")
        if not passed and not failed:
            raise MissingError(last)
        return failed, failed == 0


def run_python(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """This Python with ``words``, at the root, with ``environ`` besides; its output is text."""
    env = {**os.environ, **environ}
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def _number(line: str, word: str) -> int:
    found = re.search(rf"(\d+) {word}", line)
    return int(found[1]) if found else 0


def environment(name: str) -> str:
    """An input named by the environment."""
    value = os.environ.get(name)
    if not value or not Path(value).exists():
        raise MissingError(f"{name} is not set" if not value else f"{name}: {value} does not exist")
    return value


def shared(*parts: str) -> str:
    """A file of the ground truth: MO_TESTPLAN_SHARED, else the sibling folder ``../shared``."""
    path = Path(os.environ.get("MO_TESTPLAN_SHARED", ROOT / ".." / "shared")).joinpath(*parts)
    if not path.exists():
        raise MissingError(f"no ground truth at {path}: set MO_TESTPLAN_SHARED to its folder")
    return str(path)


INPUTS = Inputs()
