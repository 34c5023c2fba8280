"""Watch over runs: write their summaries, send again what lost workers took, deliver messages."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.cli import edge, life
from orchestrator.cli.chat import BotHolder, Finder, Members, hook_chats, make_office, make_wecom_app
from orchestrator.cli.github import GitHubOut
from orchestrator.cli.keeping import Keeper
from orchestrator.domain.errors import MoTestplanError, OtherSchemeError, UsageError
from orchestrator.domain.profile import Profile
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import CONTROL_QUEUE, App, make_app
from orchestrator.notify.base import Notifier
from orchestrator.notify.outbox import drain
from orchestrator.notify.telling import Teller
from orchestrator.notify.wecom.limits import SharedWindow, WindowClient
from orchestrator.notify.wecom.robot import Robot
from orchestrator.runs import tasks
from orchestrator.runs.fairness import Leveller
from orchestrator.runs.reaper import Reaper
from orchestrator.runs.summarize import summarize
from orchestrator.settings import Settings, check_profile, failures_path
from orchestrator.store import Store

logger = logging.getLogger(__name__)

#: Seconds between looks.
_REAP_EVERY = 0.5
_DELIVER_EVERY = 0.5
_TELL_EVERY = 0.5
_KEEP_EVERY = 1.0
_AGREE_EVERY = 1.0
#: Seconds for which a control process says where it keeps the history.
_HISTORY = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``control``."""
    parser.add_argument(
        "--profile", default="matrixone", help="profile whose limits and chats apply (default matrixone)"
    )
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    config = edge.settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    profile = check_profile(args.profile, config)
    Ledger(config.redis_url).agree(leads=True)  # before the history is migrated, which an older version still writes
    with edge.open_store(config) as history:
        history.check_writable()  # one that cannot be used is said now, and not at the end of the first run
        place = history.place()
    # A local stack has a Redis of its own, so what it shares is only the history, which takes several writers.
    lock = None if args.until_eof else only_one(config)
    one_history(Ledger(config.redis_url), place)
    life.end_with_stdin(args.until_eof)
    app = make_app(config.redis_url)
    who = f"control-{os.getpid()}@{socket.gethostname()}"
    windows, office = WindowClient(config.redis_url), make_office(profile, config)
    channels = channels_of(profile, os.environ, windows)
    bot, wecom_app = _bot(profile, config, who, windows), make_wecom_app(profile, os.environ, windows)
    finders: dict[str, Finder] = {"hook": hook_chats(profile, config)} if profile.wecom.bot.id else {}
    if wecom_app is not None:
        finders["app"] = Members(wecom_app, office.shelf)
    if bot is not None:
        finders["bot"] = bot
    told, github = [*channels, *finders], GitHubOut(profile, config)
    channels |= github.channels
    teller = Teller(office, told)

    def summarize_one(run_id: str) -> None:
        ledger, store = connections()
        summary = summarize(ledger, store, run_id, lambda ended: [*teller.verdict(ended), *github.verdict(ended)])
        if summary is not None:
            logger.info("run %s: %s in %.1f s", run_id, summary.state.value, summary.seconds)

    connections = _per_thread(config)
    tasks.register(app, summarize_one)
    _every(_REAP_EVERY, "reaper", lambda: _reaper(connections()[0], app, who, summarize_one, profile).tick)
    _every(
        _DELIVER_EVERY,
        "deliver",
        lambda: _deliverer(connections()[1], channels, list(finders.values())),
    )
    _every(_TELL_EVERY, "tell", lambda: teller.tick)
    _every(_TELL_EVERY, "github", lambda: github.tick)
    over: list[MoTestplanError] = []
    _every(_AGREE_EVERY, "agree", lambda: _end_with_the_ledger(connections()[0], place, over))
    _every(_KEEP_EVERY, "keep", lambda: _keeper(connections(), app, who, profile, config).tick)
    if bot is not None:
        _every(0.0, "bot", lambda: bot.serve)
    code = _serve(app, who)
    del lock  # held until here
    if over:
        raise over[0]
    return code


def _serve(app: App, who: str) -> int:
    """Take the messages of the control queue until told to stop; the exit code."""
    worker = app.Worker(
        hostname=who,
        queues=[CONTROL_QUEUE],
        concurrency=2,
        pool="threads",
        loglevel="INFO",
        task_events=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _end_with_the_ledger(ledger: Ledger, place: str, over: list[MoTestplanError]) -> Callable[[], None]:
    """Ends this process once a newer version, or another history, has the ledger; ``over``: why."""

    def look() -> None:
        try:
            ledger.check_scheme()
            if (kept := ledger.keep_history(place, _HISTORY)) != place:
                raise _other_history(kept)
        except (OtherSchemeError, UsageError) as error:
            if not over:
                over.append(error)
                os.kill(os.getpid(), signal.SIGTERM)

    return look


def only_one(config: Settings) -> Any:  # noqa: ANN401 - an open file, kept for its lock
    """With SQLite, refuse to be the second control process; with PostgreSQL there may be any number."""
    if not config.store_url.startswith("sqlite:///"):
        return Path(os.devnull).open("rb")
    path = Path(config.store_url.removeprefix("sqlite:///") + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise UsageError(
            f"another control process keeps its history in {path.with_suffix('')}",
            "Stop it, or give MO_TESTPLAN_STORE_URL a PostgreSQL address, which any number may share.",
        ) from None
    return lock


def one_history(ledger: Ledger, place: str) -> None:
    """The runs of one Redis are summed up and told in one ``place``, where this process keeps the history.

    Raises UsageError when another control process keeps it elsewhere.
    """
    end = time.monotonic() + _HISTORY + 1  # so long does the word of one that ended last
    while (kept := ledger.keep_history(place, _HISTORY)) != place:
        if time.monotonic() > end:
            raise _other_history(kept)
        time.sleep(0.5)


def _other_history(kept: str) -> UsageError:
    return UsageError(
        f"another control process of this Redis keeps the history in {kept}",
        "Stop it, keep the history where it does, or give another project a Redis database of its own: "
        "docs/operations.md, One project.",
    )


def _per_thread(config: Settings) -> Callable[[], tuple[Ledger, Store]]:
    mine = threading.local()

    def get() -> tuple[Ledger, Store]:
        if not hasattr(mine, "pair"):
            mine.pair = (Ledger(config.redis_url), Store(config.store_url))
        pair: tuple[Ledger, Store] = mine.pair
        return pair

    return get


def _reaper(
    ledger: Ledger,
    app: App,
    who: str,
    summarize_one: Callable[[str], object],
    profile: Profile,
) -> Reaper:
    return Reaper(ledger, app, who, summarize_one, profile.dispatch)


def _keeper(pair: tuple[Ledger, Store], app: App, who: str, profile: Profile, config: Settings) -> Keeper:
    ledger, store = pair
    leveller = Leveller(ledger, app, profile.dispatch.patience)
    files = Path(config.durations), failures_path(config)
    return Keeper(ledger, store, leveller, lambda: ledger.leads(who), profile.retention, *files)


def channels_of(profile: Profile, environ: Mapping[str, str], windows: WindowClient) -> dict[str, Notifier]:
    """The chats of a profile whose secrets this process was given."""
    key = environ.get(profile.wecom.key_env)
    if not key:
        return {}
    name = f"robot:{hashlib.sha256(key.encode()).hexdigest()[:16]}"  # profiles may share a robot; its key is a secret
    window = SharedWindow(windows, name, [(profile.wecom.per_minute, 60.0)])
    return {"wecom": Robot(key, profile.wecom.base_url, window=window)}


def _bot(profile: Profile, config: Settings, who: str, windows: WindowClient) -> BotHolder | None:
    """The holder of the profile's bot, if this process was given its secret: whichever control process leads."""
    secret = os.environ.get(profile.wecom.bot.secret_env)
    if not (profile.wecom.bot.id and secret):
        return None
    ledger = Ledger(config.redis_url)
    return BotHolder(profile, config, secret, lambda: ledger.leads(who), windows)


def _deliverer(store: Store, channels: Mapping[str, Notifier], finders: Sequence[Finder]) -> Callable[[], object]:
    def find(name: str) -> Notifier | None:
        return next((notifier for finder in finders if (notifier := finder(name)) is not None), None)

    return lambda: drain(store, channels, find=find)


def _every(seconds: float, name: str, make: Callable[[], Callable[[], object]]) -> None:
    """Call what ``make`` makes, again and again, in a thread; trouble is logged and the next try comes."""

    def loop() -> None:
        tick: Callable[[], object] | None = None
        while True:
            try:
                tick = tick or make()
                tick()
            except MoTestplanError as error:
                logger.warning("%s: %s", name, error.message)
                time.sleep(1.0)
            except Exception:  # this thread must outlive a surprise: without it no run ends
                logger.exception("%s", name)
                time.sleep(5.0)
            time.sleep(seconds)

    threading.Thread(target=loop, name=name, daemon=True).start()
