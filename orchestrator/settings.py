"""One frozen settings object, made at the edge: a profile file and the environment. Nothing below reads either.

Profiles are read in two depths. :func:`load_profile` checks keys and shapes with nothing but the dataclasses, because
importing pydantic alone costs more than a whole plan may; :func:`check_profile` lets pydantic check every value, and is
what ``run``, ``worker``, ``control`` and ``doctor`` call.
"""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.domain.errors import BadProfileError, nearest
from orchestrator.domain.profile import Profile

_BUILTIN = Path(__file__).resolve().parents[1] / "config"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. Every variable is ``MO_TESTPLAN_`` and the field's name in capitals."""

    #: Broker, ledger and Celery results: ``redis://``, ``rediss://`` or ``redis+socket://``.
    redis_url: str = "redis://127.0.0.1:6379/0"
    #: History: a SQLAlchemy URL.
    store_url: str = "sqlite:///mo-testplan.sqlite"
    #: Logs and reports of runs.
    artifacts: str = "var/artifacts"
    #: Checked out trees and caches of a worker host.
    workspaces: str = "var/workspaces"
    #: Wins over the profile's ``repository``.
    repo: str | None = None
    #: Wins over the profile's ``bvt.server.dsn``.
    bvt_dsn: str | None = None
    #: Directory of profiles: ``<name>.yaml``.
    config_dir: str = str(_BUILTIN)


def settings_from(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``environ`` (the process's own by default)."""
    env = os.environ if environ is None else environ
    names = [field.name for field in dataclasses.fields(Settings)]
    return Settings(**{name: value for name in names if (value := env.get(f"MO_TESTPLAN_{name.upper()}"))})


def profile_path(name_or_path: str, settings: Settings) -> Path:
    """The file of a profile given by path, or by name in the configuration directory."""
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    return Path(settings.config_dir) / f"{name_or_path}.yaml"


def load_profile(name_or_path: str, settings: Settings) -> Profile:
    """Read a profile; unknown keys and wrong shapes raise :class:`BadProfileError` naming the nearest key."""
    path = profile_path(name_or_path, settings)
    profile = _bind(Profile, _read_yaml(path), f"{path}")
    assert isinstance(profile, Profile)  # noqa: S101 - what _bind promises, said to the type checker
    return profile


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


def _read_yaml(path: Path) -> object:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open("rb") as file:
            return yaml.load(file, Loader=loader)  # noqa: S506 - a safe loader, the C one where it was built
    except OSError as error:
        known = sorted(p.stem for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise BadProfileError(f"cannot read profile {path}: {error.strerror}", nearest(path.stem, known)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadProfileError(f"{path} is not YAML: {error}", "Correct the file.") from None


def _bind(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401 - one function for every shape of the profile
    """Turn plain YAML data into ``kind``: dataclasses, tuples, dictionaries, scalars."""
    if dataclasses.is_dataclass(kind):
        return _bind_dataclass(typing.cast("type", kind), value, where)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise BadProfileError(f"{where}: a list is needed, not {value!r}", "Write it as a YAML list.")
        return tuple(_bind(args[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise BadProfileError(f"{where}: a mapping is needed, not {value!r}", "Write it as `key: value` lines.")
        return {str(key): _bind(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is typing.Literal:
        if value not in args:
            words = [str(arg) for arg in args]
            raise BadProfileError(f"{where}: {value!r} is not one of {', '.join(words)}", nearest(str(value), words))
        return value
    if origin is types.UnionType:
        return None if value is None else _bind(args[0], value, where)
    return _bind_scalar(kind, value, where)


def _bind_scalar(kind: type, value: object, where: str) -> object:
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise BadProfileError(f"{where}: {kind.__name__} is needed, not {value!r}", "Correct the value.")
    return value


def _bind_dataclass(kind: type, value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise BadProfileError(f"{where}: a mapping is needed, not {value!r}", "Write it as `key: value` lines.")
    hints = typing.get_type_hints(kind)
    for key in value:
        if key not in hints:
            raise BadProfileError(f"{where}: unknown key {key!r}", nearest(str(key), hints))
    for item in dataclasses.fields(kind):
        needed = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if needed and item.name not in value:
            raise BadProfileError(f"{where}: {item.name!r} is missing", "Add it.")
    return kind(**{key: _bind(hints[key], item, f"{where}.{key}") for key, item in value.items()})
