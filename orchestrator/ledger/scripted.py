"""What every part of the ledger has: one connection, and transitions in Lua by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from redis.commands.core import Script

from orchestrator.ledger.connection import connect

_LUA = Path(__file__).parent / "lua"


class Scripted:
    """A client whose transitions are the files in ``lua/``."""

    def __init__(self, url: str, *, retries: int = 3, timeout: float = 10.0) -> None:
        self.redis = connect(url, retries=retries, timeout=timeout)
        self._scripts: dict[str, Script] = {}

    def _call(self, name: str, script_keys: Sequence[str], args: Sequence[object]) -> Any:  # noqa: ANN401 - Lua's answer
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = self.redis.register_script((_LUA / f"{name}.lua").read_text("utf-8"))
        return script(keys=list(script_keys), args=[cast("Any", arg) for arg in args])
