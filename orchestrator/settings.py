"""One frozen settings object, made at the edge: a profile file and the environment. Nothing below reads either.

Profiles are read in two depths. :func:`load_profile` checks keys and shapes with nothing but the dataclasses, because
importing pydantic alone costs more than a whole plan may; :func:`check_profile` lets pydantic check every value, and is
what ``run``, ``worker``, ``control`` and ``doctor`` call.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.domain.errors import BadProfileError, UsageError, nearest
from orchestrator.domain.plain import from_plain
from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Profile, Server

if TYPE_CHECKING:
    from yaml import Node

#: The profiles that ship: ``config/`` of the sources, beside this file in an installed package.
_BUILTIN = Path(__file__).resolve().parent / "profiles"
#: What a profile may be called: files and runs are named by it.
_NAME = re.compile(r"[0-9A-Za-z_-]+")
#: ``author_association`` of GitHub's pull requests and comments.
_ASSOCIATIONS = (
    *("OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR"),
    *("FIRST_TIME_CONTRIBUTOR", "FIRST_TIMER", "MANNEQUIN", "NONE"),
)
#: Fields that are files or folders.
_PATHS = frozenset(
    ("state", "artifacts", "workspaces", "gocache_seed", "model", "repo", "config_dir", "durations", "people", "tokens")
)
#: Databases that no other process, and no other connection, sees.
_IN_MEMORY = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
_SUITES = tuple(suite.queue for suite in Suite)
#: Profiles that may extend one another in a row.
_LONGEST_CHAIN = 7


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. Every variable is ``MO_TESTPLAN_`` and the field's name in capitals."""

    #: Broker, ledger and Celery results: ``redis://``, ``rediss://`` or ``redis+socket://``.
    redis_url: str = "redis://127.0.0.1:6379/0"
    #: Where this host keeps what is its own: history, logs, trees.
    state: str = "~/.local/state/mo-testplan"
    #: History: a SQLAlchemy URL; by default a SQLite file in ``state``.
    store_url: str = ""
    #: Logs and reports of runs; by default ``artifacts`` in ``state``.
    artifacts: str = ""
    #: Checked out trees and caches of a worker host; by default ``workspaces`` in ``state``.
    workspaces: str = ""
    #: A Go build cache that a run's own cache starts as a copy of; only the operator writes it.
    gocache_seed: str = ""
    #: The history model: a file, or ``none``; by default ``models/<profile>.model`` in ``state``, where there is one.
    model: str | None = None
    #: Wins over the profile's ``repository``.
    repo: str | None = None
    #: Wins over the profile's ``bvt.server.provider``.
    bvt_server: str | None = None
    #: Wins over the profile's ``bvt.server.dsn``.
    bvt_dsn: str | None = None
    #: Directory of profiles: ``<name>.yaml``.
    config_dir: str = str(_BUILTIN)
    #: Measured seconds for estimates, which `control` writes; by default ``durations.json`` in ``state``.
    durations: str = ""
    #: Who may give commands in a chat; by default ``people.yaml`` in the directory of profiles.
    people: str = ""
    #: ``off``: tests run unconfined even where a sandbox works, for one's own code; ``uid:70000-70099``: under uids of
    #: their own (the worker is root); by default in ``bubblewrap``, where it works.
    sandbox: str = ""
    #: Who may call the API and the MCP server; by default ``tokens.yaml`` in the directory of profiles.
    tokens: str = ""


def settings_from(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``environ`` (the process's own by default), every path made absolute."""
    env = os.environ if environ is None else environ
    names = [field.name for field in dataclasses.fields(Settings)]
    values = {name: value for name in names if (value := env.get(f"MO_TESTPLAN_{name.upper()}"))}
    # No shell has read what a unit file or a container says.
    said = Settings(**{name: os.path.expanduser(value) if name in _PATHS else value for name, value in values.items()})  # noqa: PTH111
    if said.store_url.partition("?")[0] in _IN_MEMORY:
        raise UsageError(
            f"MO_TESTPLAN_STORE_URL={said.store_url} is a history in memory, another one in each thread",
            "Name a file: sqlite:////srv/mo-testplan/history.sqlite.",
        )
    state = Path(said.state).expanduser().absolute()
    return dataclasses.replace(
        said,
        state=str(state),
        store_url=said.store_url or f"sqlite:///{state / 'history.sqlite'}",
        artifacts=str(Path(said.artifacts or state / "artifacts").absolute()),
        durations=str(Path(said.durations or state / "durations.json").absolute()),
        workspaces=str(Path(said.workspaces or state / "workspaces").absolute()),
    )


def failures_path(settings: Settings) -> Path:
    """Where `control` writes what failed lately: beside the measured seconds."""
    return Path(settings.durations).with_name("failures.json")


def model_path(profile: str, settings: Settings) -> Path:
    """Where ``learn`` puts the model of a profile, and ``plan`` looks for it, when nobody names a file."""
    return Path(settings.state) / "models" / f"{profile}.model"


def to_environment(settings: Settings) -> dict[str, str]:
    """The environment variables that make another process see the same settings."""
    values = dataclasses.asdict(settings)
    return {f"MO_TESTPLAN_{name.upper()}": value for name, value in values.items() if value}


def profile_path(name_or_path: str, settings: Settings) -> Path:
    """The file of a profile given by path, or by name in the configuration directory."""
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():  # a clone beside us may be called as the profile is
        return path
    return Path(settings.config_dir) / f"{name_or_path}.yaml"


#: Keys of deadlines and numbers without which nothing runs.
_NEVER_NONE = {
    "timeout", "statement_timeout", "startup_timeout", "lease", "workers", "attempts", "shard_seconds", "per_minute",
}  # fmt: skip


def load_profile(name_or_path: str, settings: Settings) -> Profile:
    """Read a profile; unknown keys and wrong shapes raise :class:`BadProfileError` naming the nearest key.

    So does a number below 0, or ``.nan`` and ``.inf``: kept for -1 days, all history would be gone within the
    hour, and a deadline that is no number never comes. A deadline of 0 would have passed before anything began.
    """
    path = profile_path(name_or_path, settings)
    data = _read_extended(path)
    profile = from_plain(Profile, data, str(path), BadProfileError)
    for where, number in _numbers(data, str(path)):
        if not math.isfinite(number):
            raise BadProfileError(f"{where}: a finite number is needed, not {number!r}", "Correct the value.")
        if number < 0:
            raise BadProfileError(f"{where} is {number}", "Write a number from 0 on.")
    for where, remedy in _faults(profile):
        raise BadProfileError(f"{path}: {where}", remedy)
    return _with_environment(profile, settings)


def _faults(profile: Profile) -> Iterator[tuple[str, str]]:
    """What no run could make sense of, each with what to write."""
    if not _NAME.fullmatch(profile.name):
        yield f"name: {profile.name!r} is no name of a profile", "Take letters, digits, - and _."
    cases = profile.bvt.cases
    if cases != "." and any(part in ("", ".", "..") for part in cases.removesuffix("/").split("/")):
        yield f"bvt.cases: no path of the tree begins with {cases!r}", "Write it from the top on: test/cases."
    commands = {"unit_tests.command": profile.unit_tests.command} | {
        f"sca.analysers.{analyser.name}.command": analyser.command for analyser in profile.sca.analysers
    }
    for where, words in commands.items():
        if not words or not words[0]:
            yield f"{where} names no program", "Write its words as a list: [go, test, -json]."
    for where in _zeros(profile, ""):
        yield f"{where} is 0", "Nothing would ever pass or be told: write a number above 0, or leave it out."
    for who in (*profile.github.run_for, *profile.github.roles):
        if who not in _ASSOCIATIONS:
            yield f"github: {who!r} is no association with a repository", nearest(who, _ASSOCIATIONS)
    for task in profile.dispatch.labels:
        suite, _, name = task.partition(":")
        if suite not in _SUITES or not name:
            yield f"dispatch.labels: {task!r} is no task", "Write it as plans do: bvt:join, ut:pkg/a/..., sca:go-vet."


def _zeros(part: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - a profile or one of its sections
    """Where a profile has no time, or none of what nothing runs without."""
    for field in dataclasses.fields(part):
        value, place = getattr(part, field.name), f"{where}{field.name}"
        if field.name in _NEVER_NONE and not value:
            yield place
        for number, one in enumerate(value if isinstance(value, tuple) else ()):
            if dataclasses.is_dataclass(one):
                yield from _zeros(one, f"{place}[{number}].")
        if dataclasses.is_dataclass(value):
            yield from _zeros(value, f"{place}.")


def _numbers(data: object, where: str) -> Iterator[tuple[str, float]]:
    """The numbers in plain data, each with where it stands."""
    if isinstance(data, int | float):
        yield where, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _numbers(value, f"{where}.{key}")
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _numbers(value, f"{where}[{place}]")


def check_profile(name_or_path: str, settings: Settings) -> Profile:
    """Read a profile and check every value in full with pydantic."""
    import pydantic

    profile = load_profile(name_or_path, settings)
    try:
        pydantic.TypeAdapter(Profile).validate_python(dataclasses.asdict(profile))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        path = profile_path(name_or_path, settings)
        raise BadProfileError(
            f"{path}: {where}: {first['msg']}", "Correct the value; docs/profile.md lists them."
        ) from None
    return profile


def read_people(settings: Settings) -> tuple[object, str]:
    """The data of the file that says who may do what in a chat, and the file's name; None where there is no file."""
    return _read_beside(settings.people, settings, "people.yaml")


def read_tokens(settings: Settings) -> tuple[object, str]:
    """The data of the file that says who may call the API, as :func:`read_people`."""
    return _read_beside(settings.tokens, settings, "tokens.yaml")


def _read_beside(named: str, settings: Settings, usual: str) -> tuple[object, str]:
    path = Path(named or Path(settings.config_dir) / usual)
    return (_read_yaml(path) if path.exists() or named else None), str(path)


def _with_environment(profile: Profile, settings: Settings) -> Profile:
    server = profile.bvt.server
    if settings.bvt_server:
        named = from_plain(Server, {"provider": settings.bvt_server}, "MO_TESTPLAN_BVT_SERVER", BadProfileError)
        server = dataclasses.replace(server, provider=named.provider)
    if settings.bvt_dsn:
        server = dataclasses.replace(server, provider="dsn", dsn=settings.bvt_dsn)
    if server.provider == "launch" and not server.command:
        raise BadProfileError(
            f"profile {profile.name}: bvt.server.provider is launch, and there is no command",
            "Write the words that start the server: command: [./server, --port, '{port}'].",
        )
    if server is not profile.bvt.server:
        profile = dataclasses.replace(profile, bvt=dataclasses.replace(profile.bvt, server=server))
    return dataclasses.replace(profile, repository=settings.repo or profile.repository)


def profile_files(name_or_path: str, settings: Settings) -> list[Path]:
    """What a profile is read from: its file, then those that it extends."""
    return [path for path, _ in _extended(profile_path(name_or_path, settings))]


def _extended(path: Path) -> Iterator[tuple[Path, object]]:
    """A profile's file and its data; with ``extends: NAME`` also those of that profile beside it, and so on."""
    for _ in range(_LONGEST_CHAIN):
        data = _read_yaml(path)
        base = str(data.pop("extends")) if isinstance(data, dict) and "extends" in data else None
        yield path, data
        if base is None:
            return
        path = path.with_name(f"{base}.yaml")
    raise BadProfileError(f"{path}: `extends` goes round in a circle", "Take one `extends` out.")


def _read_extended(path: Path) -> object:
    """A profile's data over that of what it extends: mappings merged, lists replaced."""
    return functools.reduce(_merged, reversed([data for _, data in _extended(path)]))


def _merged(base: object, over: object) -> object:
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: _merged(base[key], value) if key in base else value for key, value in over.items()}}
    return over


def _read_yaml(path: Path) -> object:
    import yaml

    try:
        from yaml import CSafeLoader as SafeLoader  # a tenth of the time, where PyYAML was built with libyaml
    except ImportError:
        from yaml import SafeLoader  # type: ignore[assignment]
    try:
        loader = SafeLoader(path.read_bytes())
        node = loader.get_single_node()
        if node is None:
            return None
        _no_key_twice(node, path)
        return loader.construct_document(node)
    except OSError as error:
        found = path.parent.glob("*.yaml") if path.parent.is_dir() else ()
        known = sorted(p.stem for p in found if p.stem not in ("people", "tokens"))
        raise BadProfileError(f"cannot read {path}: {error.strerror}", nearest(path.stem, known)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: no text, or a day that no month has
        raise BadProfileError(f"{path} is not YAML: {error}", "Correct the file.") from None


def _no_key_twice(root: Node, path: Path) -> None:
    """Of two equal keys YAML's reader keeps the last: half of the rules would be gone, and nobody told."""
    from yaml import MappingNode, SequenceNode

    nodes: list[Node] = [root]
    seen: set[int] = set()  # what an anchor names is met at each of its places
    while nodes:
        node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            nodes += node.value
        elif isinstance(node, MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if str(key.value) in keys:
                    raise BadProfileError(
                        f"{path}: the key {str(key.value)!r} in line {key.start_mark.line + 1} stands there twice",
                        "Take one of them out, or make one of both.",
                    )
                keys.add(str(key.value))
                nodes += key, value
