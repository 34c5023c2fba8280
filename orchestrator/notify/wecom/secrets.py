"""What must never show: the credentials that WeCom puts into addresses."""

from __future__ import annotations

import logging
import re

_IN_ADDRESS = re.compile(r"([?&](?:key|access_token|corpsecret|response_code|msg_signature|echostr)=)[^&\s\"']+")


def masked(text: str, *more: str) -> str:
    """``text`` without the credentials of any address in it, and without ``more`` (further secrets)."""
    for secret in more:
        if secret:
            text = text.replace(secret, "***")
    return _IN_ADDRESS.sub(r"\1***", text)


class _MaskAddresses(logging.Filter):
    """HTTP programs log the address of every request, credentials and all: not with this."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = masked(record.getMessage()), ()
        return True


_MASK = _MaskAddresses()


def mask_logs(*names: str) -> None:
    """Take credentials out of what the loggers ``names`` say from now on."""
    for name in names:
        logging.getLogger(name).addFilter(_MASK)
