"""Answers in the form of the real service: HTTP 200, a code, and a text that nobody can compare with."""

from __future__ import annotations

import random
import time
from typing import Any


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of this program
    """The service does not take this: ``code`` goes to ``errcode``, ``text`` into ``errmsg``."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


WRONG_JSON = "invalid Request Parameter. Warning: wrong json format. "


def accepted(**more: object) -> dict[str, Any]:
    """The answer to what was taken."""
    return {"errcode": 0, "errmsg": "ok", **more}


def refused(refusal: Refusal, source: random.Random) -> dict[str, Any]:
    """The answer to what was refused, with the hint and link that the real one adds."""
    hint = f"{int(time.time())}_{source.randrange(10**6)}_{source.getrandbits(128):032x}"
    link = f"https://open.work.weixin.qq.com/devtool/query?e={refusal.code}"
    message = f"{refusal.text}, hint: [{hint}], from ip: 127.0.0.1, more info at {link}"
    return {"errcode": refusal.code, "errmsg": message}
