"""What WeCom's error codes mean to a sender (developer.work.weixin.qq.com, document 90313)."""

from __future__ import annotations

from orchestrator.domain.errors import NotifyError
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.robot import PERMANENT

#: The token is unknown, expired or of another secret: fetch a new one, once.
TOKEN_CODES = frozenset({40001, 40014, 42001})
_RATE = {45009: 61.0, 45033: 5.0, -1: None}
#: Nobody of the receivers exists, or may be told.
_NOBODY = frozenset({81013, 82001, 60111, 86003, 93006, 93001, 42022, 846605, 846608})
_UNKNOWN_TRIES = 5


def error_of(code: int, said: str) -> NotifyError:
    """The error to raise for ``errcode``; ``said`` is free of secrets."""
    what = f"WeCom answered {code} ({said})"
    if code in _RATE:
        return RetryLaterError(what, "WeCom is busy, or the limit is reached.", after=_RATE[code])
    if code in _NOBODY:
        return RefusedError(what, "The receiver, the chat or the card is not there (any more).")
    if code in PERMANENT:
        return RefusedError(what, PERMANENT[code])
    if code == 60020:
        return RetryLaterError(what, "Add this host's address to the application's trusted IPs.", tries=_UNKNOWN_TRIES)
    if code in TOKEN_CODES:
        return RetryLaterError(what, "Check corp id and secret of the application.", tries=_UNKNOWN_TRIES)
    link = f"https://open.work.weixin.qq.com/devtool/query?e={code} may explain it."
    return RetryLaterError(what, link, tries=_UNKNOWN_TRIES)
