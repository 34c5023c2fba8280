"""All that a demo needs and leaves nothing of: a folder, a WeCom stand-in, and the local stack."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli import life
from orchestrator.cli.demo.sample import SampleRepository
from orchestrator.cli.local import LocalStack
from orchestrator.domain.profile import Profile
from orchestrator.notify.wecom.standin import WeComStandIn
from orchestrator.settings import Settings, check_profile, settings_from
from workers.process import remove_tree

PROFILE = "demo"
#: Marks every process of a test: the only one of our variables that a demo takes over from its caller.
_MARK = "MO_TESTPLAN_MARK"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays."""

    folder: Path
    sample: SampleRepository
    settings: Settings
    profile: Profile
    wecom: WeComStandIn
    stack: LocalStack


@contextlib.contextmanager
def stage(*, workers: int, keep: bool) -> Iterator[Stage]:
    """Set up everything; remove everything at the end, whatever happens, or all but the folder with ``keep``."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="mo-testplan-demo-"))
        if not keep:
            stack.callback(_undisturbed, lambda: remove_tree(folder))
        settings = demo_settings(folder)
        wecom = stack.enter_context(WeComStandIn())
        path = write_profile(folder, wecom={"base_url": wecom.base_url})
        secrets = {"MO_TESTPLAN_WECOM_KEY": wecom.key}
        local = LocalStack(settings, str(path), workers=workers, environ=demo_environment(folder, secrets))
        stack.callback(_undisturbed, local.close)
        local.__enter__()
        profile = check_profile(str(path), local.settings)
        yield Stage(folder, SampleRepository(folder / "shop"), local.settings, profile, wecom, local)


def demo_settings(folder: Path) -> Settings:
    """Settings of the demo alone: the caller's store, server and repository are none of its business."""
    return settings_from(
        {
            "MO_TESTPLAN_STATE": str(folder / "state"),
            "MO_TESTPLAN_REPO": str(folder / "shop"),
            "MO_TESTPLAN_CONFIG_DIR": str(folder / "config"),
        }
    )


def demo_environment(folder: Path, secrets: Mapping[str, str]) -> dict[str, str]:
    """What the stack's processes see beside the caller's environment: our variables hidden, caches and files inside.

    A build cache that the caller names is used: it saves the half of a minute that Go's own library takes.
    """
    hidden = {name: "" for name in os.environ if name.startswith("MO_TESTPLAN_") and name != _MARK}
    scratch = folder / "tmp"
    scratch.mkdir()
    return {
        **hidden,
        **secrets,
        "GOCACHE": os.environ.get("GOCACHE") or str(folder / "go-build"),
        "GOMODCACHE": str(folder / "go-mod"),
        "GOENV": "off",
        "XDG_CONFIG_HOME": str(scratch),  # where go counts what it does
        "TMPDIR": str(scratch),
    }


def write_profile(folder: Path, **changes: Mapping[str, object]) -> Path:
    """``config/demo.yaml`` with ``changes`` to its sections: what it says of WeCom becomes the stand-in's."""
    import yaml

    shipped = Path(Settings().config_dir) / f"{PROFILE}.yaml"
    data = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    data |= {section: {**data.get(section, {}), **changed} for section, changed in changes.items()}
    path = folder / "config" / f"{PROFILE}.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def _undisturbed(close: Callable[[], None]) -> None:
    with life.undisturbed():
        close()
