"""What every part of the ledger has: one connection, and transitions in Lua by name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from orchestrator.ledger.connection import connect

_LUA = Path(__file__).parent / "lua"


class Scripted:
    """A client whose transitions are the files in ``lua/``."""

    def __init__(self, url: str, *, retries: int = 3, timeout: float = 10.0) -> None:
        self.redis = connect(url, retries=retries, timeout=timeout)
        #: SHA-1 of the scripts this client has used, by name.
        self._known: dict[str, str] = {}

    def _call(self, name: str, script_keys: Sequence[str], args: Sequence[object]) -> Any:  # noqa: ANN401 - Lua's answer
        execute: Any = self.redis.execute_command
        words = (len(script_keys), *script_keys, *args)
        known = self._known.get(name)
        if known is not None:
            try:
                return execute("EVALSHA", known, *words)
            except NoScriptError:  # a server that was restarted
                pass
        text = (_LUA / f"{name}.lua").read_text("utf-8")
        self._known[name] = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return execute("EVAL", text, *words)
