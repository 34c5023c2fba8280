"""Credentials that the stand-in knows: a person's token, and an App with its installation."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable

from orchestrator.notify.github.standin.rules import RefusedRequestError, refuse


class Keys:
    """A token of a user, and an App whose tokens live for an hour."""

    def __init__(self, clock: Callable[[], float], login: str = "ci-user", app_id: str = "4711") -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        self._clock, self.login, self.app_id = clock, login, app_id
        self.token = "ghp_" + secrets.token_hex(18)
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.app_key = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()
        self._public = private.public_key()
        self._issued: dict[str, float] = {}

    def who(self, authorization: str, *, claim: bool) -> str:
        """``user``, ``installation`` or ``app``; refuses what is none of them where it is asked for."""
        kind, _, secret = authorization.partition(" ")
        refuse(kind.lower() in ("bearer", "token") and secret, 401, "Requires authentication")
        if claim:
            self._check_claim(secret)
            return "app"
        if secrets.compare_digest(secret.encode(), self.token.encode()):
            return "user"
        refuse(self._issued.get(secret, 0.0) > self._clock(), 401, "Bad credentials")
        return "installation"

    def issue(self) -> tuple[str, str]:
        """A new token of the installation, and when it ends."""
        token, until = "ghs_" + secrets.token_hex(18), self._clock() + 3600
        self._issued[token] = until
        return token, datetime.datetime.fromtimestamp(until, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def issued(self) -> int:
        """How many tokens of the installation were bought."""
        return len(self._issued)

    def expire(self) -> None:
        """Let every token of the installation end now."""
        self._issued.clear()

    def _check_claim(self, secret: str) -> None:
        import jwt

        try:
            options = {"verify_exp": False, "verify_iat": False}  # by our own clock
            claims = jwt.decode(secret, self._public, algorithms=["RS256"], options=options)  # type: ignore[arg-type]
        except jwt.PyJWTError:
            raise RefusedRequestError(401, "A JSON web token could not be decoded") from None
        now = self._clock()
        refuse(str(claims.get("iss")) == self.app_id, 401, "Integration not found")
        refuse(claims["iat"] <= now + 60, 401, "'Issued at' claim ('iat') must be an Integer in the past")
        refuse(now < claims["exp"] <= now + 600, 401, "'Expiration time' claim ('exp') is too far in the future")
