"""Signature and encryption of WeCom's callbacks (developer.work.weixin.qq.com, document 90968).

AES-256-CBC of ``16 random bytes + uint32 (big-endian) length + message + receiver``, padded to 32 bytes, in base64.
There is no MAC: only the signature protects a message, so it is compared before anything is decrypted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from typing import Any

from orchestrator.domain.errors import BadProfileError, ToolMissingError, UsageError

_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
_BLOCK = 32
_RANDOM = 16
_HEAD = _RANDOM + 4


class BadCallbackError(UsageError):
    """A callback that is not from WeCom, or is damaged. Its text is for our log: the caller learns nothing."""


class Cipher:
    """The two secrets of one callback address, and who its messages are for.

    ``receiver`` is the corp id for a self-built application and empty for an AI bot of the same corp.
    """

    def __init__(self, token: str, encoding_aes_key: str, receiver: str) -> None:
        if not token or not _KEY.fullmatch(encoding_aes_key):
            raise BadProfileError(
                "the token or EncodingAESKey of a WeCom callback is not one (the key has 43 letters and digits)",
                "Copy both from the page of WeCom where the callback address is set, into the environment.",
            )
        self._token = token
        self._key = base64.b64decode(encoding_aes_key + "=")  # bits beyond the 256th may be set: no round trip check
        self.receiver = receiver

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """The signature: SHA-1 (lower-case hex) over the sorted parts."""
        parts = "".join(sorted((self._token, timestamp, nonce, encrypted)))
        return hashlib.sha1(parts.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()

    def open(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        """The message inside ``encrypted``, once its signature holds; :class:`BadCallbackError` otherwise."""
        wanted = self.sign(timestamp, nonce, encrypted)
        if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
            raise BadCallbackError("the signature of a callback does not match")
        return self.decrypt(encrypted)

    def decrypt(self, encrypted: str) -> bytes:
        """The message, its padding, length and receiver checked. What comes from outside goes through :meth:`open`."""
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise BadCallbackError("a callback's body is no base64") from None
        if len(raw) < _BLOCK or len(raw) % 16:
            raise BadCallbackError("a callback's body is truncated")
        worker = self._aes().decryptor()
        plain: bytes = worker.update(raw) + worker.finalize()
        pad = plain[-1]
        if not 1 <= pad <= min(_BLOCK, len(plain) - _HEAD) or plain[-pad:] != bytes([pad]) * pad:
            raise BadCallbackError("a callback's padding is wrong")
        length = int.from_bytes(plain[_RANDOM:_HEAD], "big")
        body = plain[_HEAD:-pad]
        if length > len(body):
            raise BadCallbackError("a callback's length is wrong")
        if not hmac.compare_digest(body[length:], self.receiver.encode()):
            raise BadCallbackError("a callback is for another receiver")
        return body[:length]

    def encrypt(self, message: bytes, random: bytes | None = None) -> str:
        """``message`` as WeCom reads it; ``random`` is 16 bytes, fresh unless given."""
        head = (os.urandom(_RANDOM) if random is None else random) + len(message).to_bytes(4, "big")
        plain = head + message + self.receiver.encode()
        pad = _BLOCK - len(plain) % _BLOCK
        worker = self._aes().encryptor()
        return base64.b64encode(worker.update(plain + bytes([pad]) * pad) + worker.finalize()).decode()

    def _aes(self) -> Any:  # noqa: ANN401 - the cryptography package is imported when it is needed
        try:
            from cryptography.hazmat.primitives.ciphers import Cipher as Aes
            from cryptography.hazmat.primitives.ciphers import algorithms, modes
        except ModuleNotFoundError:
            raise ToolMissingError(
                "callbacks of WeCom need the cryptography package", "Install it with: pip install 'mo-testplan[wecom]'"
            ) from None
        return Aes(algorithms.AES(self._key), modes.CBC(self._key[:16]))
