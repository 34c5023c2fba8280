"""The environment of untrusted code: a short list of what it may see, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

#: Where programs, words and certificates are.
BASIC = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CC",
    "CXX",
    "CGO_ENABLED",
    "PKG_CONFIG",
    "PKG_CONFIG_PATH",
    "GOMAXPROCS",
    # Left behind by a test, a process is found by it (benchmarks/chaos.py).
    "MO_TESTPLAN_MARK",
)
#: The way out of this host; they may hold a password, so only what needs a network sees them.
NETWORK = tuple(
    name for upper in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY") for name in (upper, upper.lower())
)


def scrub(
    base: Mapping[str, str], *, home: Path, tmp: Path, extra: Mapping[str, str] | None = None, network: bool = True
) -> dict[str, str]:
    """What of the worker's environment ``base`` a program may see, with a private home and TMPDIR, then ``extra``."""
    names = BASIC + NETWORK if network else BASIC
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    env |= {name: base[name] for name in names if base.get(name)}
    env |= {"HOME": str(home), "TMPDIR": str(tmp)}
    return env | dict(extra or {})
