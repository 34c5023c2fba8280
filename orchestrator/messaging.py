"""The Celery application: queues, routes and the settings that keep long tests from running twice.

The reasons for the settings that differ from Celery's defaults stand in ``docs/adr/0003-ledger-beside-celery.md``: the
ledger and its reaper own redelivery, so tasks are acknowledged early and never redelivered by the broker.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from orchestrator.domain.errors import BrokerError
from orchestrator.domain.plan import Suite

#: Celery's application and signature: the library ships no types that a strict check can use.
App: TypeAlias = Any
Signature: TypeAlias = Any

#: Executes one shard; lives in ``workers``.
RUN_SHARD = "mo_testplan.run_shard"
#: Writes the summary of a complete run; lives in ``orchestrator.runs``.
SUMMARIZE = "mo_testplan.summarize"

CONTROL_QUEUE = "control"
SUITE_QUEUES: tuple[str, ...] = tuple(suite.queue for suite in Suite)
#: Seconds after which Redis hands an unacknowledged message to somebody else. Only summaries are acknowledged late.
VISIBILITY_TIMEOUT = 60
#: Digits of the number of a delivery.
_DELIVERY = 9
#: Characters of a host's name in the label of its queues, which has 32 at most.
_HOST_NAME = 29


def make_app(redis_url: str, labelled: Iterable[str] = ()) -> App:
    """The Celery application on ``redis_url``. It knows every suite's queue, and ``labelled`` ones such as ``bvt.gpu``.

    Everybody who sends must know the queues; which of them a worker consumes is the worker's own choice.
    """
    from celery import Celery
    from kombu import Exchange, Queue

    names = dict.fromkeys((*SUITE_QUEUES, CONTROL_QUEUE, *labelled))
    url, tls = tls_of(redis_url)
    app = Celery("mo_testplan", broker=url, backend=url, set_as_current=False)
    app.conf.update(
        broker_use_ssl=tls,
        redis_backend_use_ssl=tls,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in names],
        task_default_queue=CONTROL_QUEUE,
        task_create_missing_queues=False,
        task_acks_late=False,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_send_task_events=True,
        task_send_sent_event=True,
        worker_hijack_root_logger=False,
        task_allow_error_cb_on_chord_header=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        result_expires=3600,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            "priority_steps": list(range(10)),
        },
        result_backend_transport_options={"retry_policy": {"timeout": 5.0}},
    )
    return app


def tls_of(redis_url: str) -> tuple[str, dict[str, Any] | None]:
    """The address without its ``ssl_…`` words, and what Celery wants to know of TLS: certificates are checked.

    ``rediss://host?ssl_ca_certs=FILE`` names an authority of one's own, ``ssl_certfile`` and ``ssl_keyfile`` a client's
    certificate; ``ssl_cert_reqs=none`` takes any server for the right one.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "rediss":
        return redis_url, None
    said = dict(parse_qsl(parts.query))
    words = {name: value for name, value in said.items() if name.startswith("ssl_")}
    rest = {name: value for name, value in said.items() if name not in words}
    checks = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL}
    tls: dict[str, Any] = {**words, "ssl_cert_reqs": checks.get(words.get("ssl_cert_reqs", ""), ssl.CERT_REQUIRED)}
    return urlunsplit(parts._replace(query=urlencode(rest))), tls


def know(app: App, queue: str) -> None:
    """Let ``app`` send to a labelled queue such as ``bvt.gpu`` of a plan that was checked."""
    from kombu import Exchange, Queue

    if queue not in app.amqp.queues:
        app.amqp.queues.add(Queue(queue, Exchange(queue), routing_key=queue))


@contextmanager
def broker_reported() -> Iterator[None]:
    """Turn what Celery raises where Redis is away, or refuses, into :class:`BrokerError`."""
    from kombu.exceptions import OperationalError
    from redis import RedisError

    try:
        yield
    except (OperationalError, RedisError, OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "Celery result store" not in str(error):
            raise  # celery.backends.asynchronous gives up reconnecting with a plain RuntimeError
        raise BrokerError(
            f"Redis takes no messages: {' '.join(str(error).split())}",
            "Start it, correct MO_TESTPLAN_REDIS_URL, or look at its memory, its disk and the user's rights.",
        ) from None


def ask_summary(app: App, run: str) -> None:
    """Ask the control process to look whether a run is complete; :class:`BrokerError` when Redis takes no messages."""
    with broker_reported():
        summary_signature(app, run).apply_async()


def summary_signature(app: App, run: str) -> Signature:
    """The task that writes the summary, if the run is complete and nobody has."""
    return app.signature(SUMMARIZE, args=(run,), immutable=True, options={"queue": CONTROL_QUEUE})


def host_label(hostname: str) -> str:
    """The label of a host's own queues (``ut.at-build7``), by which a run can be sent to it alone.

    A name that is too long for a label (:data:`orchestrator.domain.plan.LABEL`), or has what a label cannot, ends in a
    hash of it: those of one cluster often differ at their ends only, and ``a.b`` is another host than ``a-b``.
    """
    name = hostname.lower()
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in name).strip("-")
    if plain == name and len(plain) <= _HOST_NAME:
        return f"at-{plain}"
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return f"at-{plain[: _HOST_NAME - 9].strip('-')}-{digest}"


def run_suite(run: str, suite: str) -> str:
    """The stamp by which the messages of one suite (``UT`` …) of a run are revoked together."""
    return f"{run}/{suite}"


def message_id(run: str, shard: str, delivery: int) -> str:
    """The Celery task id of a message: it names the shard, so that a queue's head can be read without its body."""
    return f"{run}|{shard}|{delivery}"


def parse_message_id(text: str) -> tuple[str, str, int] | None:
    """(run, shard, delivery) of a message of ours, else None."""
    run, _, rest = text.partition("|")
    shard, _, number = rest.rpartition("|")
    return (run, shard, int(number)) if shard and number.isdecimal() and len(number) <= _DELIVERY else None
