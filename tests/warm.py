"""Fills a Go build cache once with the library that tests compile, for all hosts that they start: ``make test``.

    python -m tests.warm FOLDER

Each host has a build cache of its own, which starts as a copy of ``FOLDER`` (``MO_TESTPLAN_GOCACHE_SEED``); without it
a slow machine compiles the library for a dozen of them at once, and tests run out of time. The cache of this user,
which unconfined tests use, is filled as well. Where there is no Go, ``FOLDER`` is made and stays empty.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_MODULE = "module warm\n\ngo 1.21\n"
_TEST = """package warm

import (
	_ "fmt"
	_ "os/exec"
	"testing"
)

func TestNothing(*testing.T) {}
"""


def main(seed: Path) -> None:
    """Compile a test that uses what tests do; what Go says against it is for the tests to say again."""
    seed.mkdir(parents=True, exist_ok=True)
    if shutil.which("go") is None:
        return
    print("compiling Go's library for the tests …", flush=True)  # noqa: T201 - the program's output
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "go.mod").write_text(_MODULE)
        Path(folder, "warm_test.go").write_text(_TEST)
        for cache in (dict[str, str](), {"GOCACHE": str(seed.absolute())}):
            for verb in ("test", "vet"):
                subprocess.run(["go", verb, "."], cwd=folder, env={**os.environ, **cache}, check=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
