"""pytest by itself on tests that the plan chose, in a checkout of the same commit."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml


@dataclass(frozen=True, slots=True)
class Alone:
    """What pytest said: exit code, verdict by test, seconds."""

    code: int
    cases: Mapping[str, str]
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether a test failed."""
        return self.code == 1


def pytest_alone(folder: Path, repository: Path, tests: Sequence[str]) -> Alone:
    """Run ``tests`` at the HEAD of ``repository``, without any of this project's own machinery around it."""
    if not tests:
        return Alone(0, {}, 0.0)
    clone, report = folder / "alone", folder / "alone.xml"
    subprocess.run(["git", "clone", "-q", "--shared", str(repository), str(clone)], check=True, capture_output=True)
    began = time.monotonic()
    words = ["-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junit-xml={report}", *tests]
    done = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=clone, capture_output=True, check=False)
    cases: dict[str, str] = {}
    for case in Xml.parse(report).getroot().iter("testcase"):  # noqa: S314 - our own tests wrote it
        name = _node(case)
        status = "failed" if case.find("failure") is not None or case.find("error") is not None else "passed"
        status = "skipped" if case.find("skipped") is not None else status
        cases[name] = "failed" if cases.get(name) == "failed" else status
    return Alone(done.returncode, cases, round(time.monotonic() - began, 1))


def _node(case: Xml.Element) -> str:
    """``path::Class::test[parameters]``, which the report has in three attributes."""
    file, name = case.get("file") or "", case.get("name") or ""
    module = file.removesuffix(".py").replace("/", ".")
    classes = (case.get("classname") or "").removeprefix(module).strip(".")
    return "::".join([file, *filter(None, classes.split(".")), name])
