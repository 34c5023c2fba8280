"""A Redis connection that waits out short interruptions and says clearly when it cannot."""

from __future__ import annotations

import functools
import os
import re
import socket
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import redis
from redis.backoff import ExponentialBackoff
from redis.connection import HiredisRespSerializer
from redis.retry import Retry

from orchestrator.domain.errors import BrokerDownError, BrokerError

P = ParamSpec("P")
R = TypeVar("R")

#: Bytes that the path of a Unix socket has at most (``unix(7)``: ``sun_path``, without its last zero).
LONGEST_SOCKET = 107
_DATABASE = re.compile(r"/?|/\d{1,9}/?", re.ASCII)
_TLS_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_PASSWORD_WORD = re.compile(r"([?&]password=)[^&]*", re.IGNORECASE)


def connect(url: str, *, retries: int = 3, timeout: float = 10.0) -> redis.Redis:
    """Open a client for ``redis://``, ``rediss://`` or Celery's ``redis+socket://`` form.

    Each command is tried again ``retries`` times within about two seconds; then :class:`BrokerError` is the caller's.
    A server that takes a command and does not answer within ``timeout`` seconds counts as away.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("redis", "rediss", "redis+socket") and (parts.port or 0) >= 0
    except ValueError:  # no number for a port, a bracket that is never closed
        known = False
    if not known:
        raise BrokerError(
            f"{masked(url)} is not a Redis address", "Write redis://host:port/0 in MO_TESTPLAN_REDIS_URL."
        )
    path, words = unquote(parts.path), dict(parse_qsl(parts.query))
    if "db" in words or (parts.scheme != "redis+socket" and not _DATABASE.fullmatch(path)):
        raise BrokerError(  # redis-py takes a name for 0, and Celery takes no `db`: half of a run would be elsewhere
            f"{masked(url)} names its database in a way that not all understand",
            "Write its number behind the host, redis://host:port/1, or of a socket ?virtual_host=1.",
        )
    for name in _TLS_FILES & words.keys():
        if not os.access(words[name], os.R_OK):
            raise BrokerError(
                f"{name}={words[name]} of MO_TESTPLAN_REDIS_URL is no file that can be read", "Correct its path."
            )
    if parts.scheme == "redis+socket" and len(os.fsencode(path)) > LONGEST_SOCKET:
        raise BrokerError(
            f"the path of Redis' socket is longer than {LONGEST_SOCKET} bytes: {path}",
            "Put it (unixsocket in redis.conf) into a folder with a shorter name.",
        )
    retry = Retry(ExponentialBackoff(cap=1.0, base=0.1), retries)
    try:
        client = redis.Redis.from_url(
            socket_form(url),
            decode_responses=True,
            encoding_errors="replace",  # of answers: whoever writes into Redis may write what is no UTF-8
            command_packer=_Packer(),
            protocol=2,  # answers keep one shape whatever the library prefers
            retry=retry,
            retry_on_error=[redis.ConnectionError, redis.TimeoutError],
            socket_timeout=timeout,
            socket_connect_timeout=min(3.0, timeout),
            health_check_interval=15,
        )
        pool = client.connection_pool
        pool.connection_class(**pool.connection_kwargs)  # connects to nobody, and knows which words are wrong
    except (TypeError, ValueError, redis.RedisError) as error:
        raise BrokerError(
            f"{masked(url)} is not a Redis address: {error}", "Correct what follows the ? in MO_TESTPLAN_REDIS_URL."
        ) from None
    return client


class _Packer(HiredisRespSerializer):
    """Puts a question mark for what no bytes stand for, as halves of surrogate pairs that tests print.

    redis-py's ``encoding_errors`` reaches only answers where hiredis packs: of a command it would raise.
    """

    def pack(self, *args: object) -> list[bytes]:
        """A command as the server reads it."""
        words: list[Any] = [arg.encode("utf-8", "replace") if isinstance(arg, str) else arg for arg in args]
        packed: list[bytes] = super().pack(*words)
        return packed


def socket_form(url: str) -> str:
    """Celery's ``redis+socket:///path?virtual_host=0`` as redis-py's ``unix:///path?db=0``; others as they are.

    User and password stay where they are: before the path, or behind the ``?``.
    """
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    words = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query = {"db": words.get("virtual_host", "0")}
    query |= {name: words[name] for name in ("username", "password") if name in words}
    return f"unix://{parts.netloc}{parts.path}?{urlencode(query)}"


def masked(url: str) -> str:
    """The address without its password, for messages; of one that cannot be read, only what follows its last ``@``."""
    url = _PASSWORD_WORD.sub(r"\1***", url)
    try:
        parts = urlsplit(url)
        readable = (parts.port or 0) >= 0
    except ValueError:
        readable = False
    host = url.rpartition("@")[2]
    if not readable or (parts.password is None and "@" in url):  # a password with a slash or a hash in it
        return host if host == url else f"***@{host}"
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{parts.netloc.rpartition('@')[2]}"))


def broker_errors(call: Callable[P, R]) -> Callable[P, R]:
    """Turn redis-py's exceptions into :class:`BrokerError`."""

    @functools.wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except redis.AuthenticationError as error:
            raise BrokerError(
                f"Redis refuses this user: {error}", "Correct user and password in MO_TESTPLAN_REDIS_URL."
            ) from None
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise (BrokerDownError if _down(error) else BrokerError)(
                f"Redis does not answer: {error}",
                "Start it, or point MO_TESTPLAN_REDIS_URL at one that runs. Runs are kept and go on when it is back.",
            ) from None
        except redis.RedisError as error:
            remedy = "Check memory (noeviction), disk (AOF) and the user's rights."
            if "DB index" in str(error):
                remedy = "Correct the database's number in MO_TESTPLAN_REDIS_URL: 0 to 15, unless Redis has more."
            raise (BrokerDownError if _down(error) else BrokerError)(f"Redis refuses: {error}", remedy) from None

    return wrapped


def _down(error: BaseException | None) -> bool:
    """Whether Redis' host was reached and has no Redis that serves, or is said not to be there: nobody is served, then.

    Nor is anybody where Redis refuses all that writes, its memory or its disk being full.

    A name server that does not answer either (``EAI_AGAIN``) says nothing: this host may be alone.
    """
    while error is not None:
        if isinstance(error, (ConnectionRefusedError, FileNotFoundError, redis.BusyLoadingError)):
            return True
        if isinstance(error, redis.OutOfMemoryError) or str(error).startswith("MISCONF"):
            return True
        if isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            return True
        error = error.__cause__ or error.__context__
    return False


def every_method_reports_broker_errors(cls: type[Any]) -> type[Any]:
    """Class decorator: :func:`broker_errors` on every public method."""
    for name, member in vars(cls).items():
        if callable(member) and not name.startswith("_"):
            setattr(cls, name, broker_errors(member))
    return cls
