"""Build the history model that `plan` draws on: which tests moved with which changes, and how far to trust that.

Everything is learned from a clone: no run, no server and no network is needed. Training needs the `learn` extra, using
the model nothing. With --update only commits newer than the model are read, and the trust stays as it was learned.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.cli.plan import DEFAULT_PROFILE
from orchestrator.domain.errors import UsageError
from orchestrator.settings import load_profile, model_path, settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``learn``."""
    parser.add_argument("--repo", metavar="DIR", help="a clone, bare or not; default: the profile's repository")
    parser.add_argument("--revision", metavar="REV", default="HEAD", help="the branch to learn from; default: HEAD")
    parser.add_argument("--until", metavar="DATE", help="nothing newer than this day (2026-05-31) or time")
    parser.add_argument("--update", action="store_true", help="add what is newer than the model there is")
    parser.add_argument("--profile", metavar="P", default=DEFAULT_PROFILE, help="name or file of a profile")
    parser.add_argument("-o", "--output", metavar="MODEL", help="default: where `plan` looks for it")


def run(args: argparse.Namespace) -> int:
    """Learn, write the model, and say what it is."""
    from orchestrator.history.learn import learn, update
    from orchestrator.history.model import load_model, save_model

    settings = settings_from()
    profile = load_profile(args.profile, settings)
    repository = Path(args.repo or profile.repository or ".")
    path = Path(args.output) if args.output else model_path(profile.name, settings)
    start = time.monotonic()
    if args.update:
        if args.until:
            raise UsageError("--update reads to the end of the branch", "Leave out --until, or --update.")
        _check_place(path)
        learned = update(load_model(path), repository, profile, args.revision, _progress)
    else:
        until = _moment(args.until)
        _check_place(path)
        learned = learn(repository, profile, args.revision, until, _progress)
    size = save_model(learned.model, path)
    for warning in learned.warnings:
        print(f"warning: {warning}", file=sys.stderr)  # noqa: T201 - words go to stderr
    day = datetime.fromtimestamp(learned.model.time, UTC)
    print(  # noqa: T201 - the answer
        f"{path}: {learned.commits} commits read, up to {learned.model.head[:12]} of {day:%Y-%m-%d}; "
        f"{size / 1e6:.1f} MB in {time.monotonic() - start:.0f} s"
    )
    return 0


def _check_place(path: Path) -> None:
    """See that ``path`` can be written, in a folder that is made: not at the end of all the work."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        refused = path.is_dir() or not os.access(path.parent, os.W_OK)
    except OSError:
        refused = True
    if refused:
        raise UsageError(f"{path} cannot be written", "Name a file with -o, in a folder where you may write.")


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - words go to stderr


def _moment(text: str | None) -> datetime | None:
    """The end of a day, or a time; without a zone it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date", "Write it as 2026-05-31 or 2026-05-31T12:00:00Z.") from None
    if moment.year < 1970:
        raise UsageError(f"{text!r} is before all commits", "Write it as 2026-05-31 or 2026-05-31T12:00:00Z.")
    if len(text) <= len("2026-05-31"):
        moment = moment.replace(hour=23, minute=59, second=59)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
