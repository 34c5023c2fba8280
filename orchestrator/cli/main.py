"""``mo-testplan``: one word, one module, imported when it is asked for so that ``plan`` starts fast."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator import __version__
from orchestrator.domain.errors import (
    EXIT_CANCELLED,
    EXIT_INFRASTRUCTURE,
    EXIT_STOPPED_WATCHING,
    EXIT_USAGE,
    MoTestplanError,
    nearest,
)
from orchestrator.domain.shown import printable

#: Command → (module below ``orchestrator.cli``, one line of help). A module offers ``add_arguments`` and ``run``.
COMMANDS: dict[str, tuple[str, str]] = {
    "plan": ("plan", "turn a diff into a plan of tests"),
    "explain": ("explain", "say why each test of a plan was chosen, why not, and what it costs"),
    "learn": ("learn", "build the history model that plans draw on"),
    "run": ("run", "execute a plan on workers, or here with --local"),
    "status": ("status", "say where a run stands"),
    "watch": ("watch", "follow a run until it ends"),
    "cancel": ("cancel", "end a run, a part of it, or all runs of a pull request"),
    "rerun": ("rerun", "run again what failed, one task, or all"),
    "logs": ("logs", "print the log of a task"),
    "runs": ("runs", "list runs"),
    "quarantine": ("quarantine", "tests whose failures block nobody until a day"),
    "stats": ("stats", "say what is slow, what is flaky, and what pull requests cost"),
    "escapes": ("escapes", "say which failures of a full run selection would have missed"),
    "cases": ("cases", "work with SQL cases"),
    "worker": ("worker", "take tests from the queues of this host's choice"),
    "hosts": ("hosts", "list worker hosts; pause, drain or remove one"),
    "control": ("control", "watch over runs: summaries, lost workers, messages"),
    "acl": ("acl", "print the Redis user that worker hosts should have"),
    "serve": ("serve", "serve the REST API, metrics and callbacks of chats"),
    "autopilot": ("autopilot", "take a change from its plan to a verdict without a person"),
    "mcp": ("mcp", "serve agents over the Model Context Protocol"),
    "token": ("token", "make a token for the API or the MCP server"),
    "flower": ("flower", "watch workers and tasks in a browser"),
    "demo": ("demo", "see the whole job on a small project, with nothing to set up"),
    "doctor": ("doctor", "say what is missing on this host and how to get it"),
    "dev": ("dev", "stand-ins for trying things out"),
}


def usage() -> str:
    """The text of ``mo-testplan --help``."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(
        ["usage: mo-testplan COMMAND …", "", "commands:", *lines, "", "`mo-testplan COMMAND --help` says more."]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (``docs/exit-codes.md``)."""
    _open_what_is_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: a terminal of Latin-1 has no ✓
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()  # what it does not take is told below, and not by the interpreter as it ends
    except MoTestplanError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not change how this ends
        complain("interrupted")
        return EXIT_CANCELLED
    except BrokenPipeError:  # `| head` has seen enough
        _give_stdout_up()
        return EXIT_STOPPED_WATCHING
    except OSError as error:  # a disk that is full, a folder that may not be written: this host's, not a bug of ours
        complain(f"{error.strerror or error}: {error.filename or 'no file named'}\n  Mend that, or look at `doctor`.")
        _give_stdout_up()
        return EXIT_INFRASTRUCTURE
    return code


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())  # noqa: T201 - the answer goes to stdout
        return 0 if words else EXIT_USAGE
    if words[0] in ("-V", "--version"):
        print(f"mo-testplan {__version__}")  # noqa: T201
        return 0
    name = words[0]
    if name not in COMMANDS:
        complain(f"unknown command {name!r}. {nearest(name, COMMANDS)}")
        return EXIT_USAGE
    module = importlib.import_module(f"orchestrator.cli.{COMMANDS[name][0]}")
    parser = argparse.ArgumentParser(
        prog=f"mo-testplan {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(words[1:])))


def _open_what_is_closed() -> None:
    """Who closed stdout or stderr (``>&-``) hears nothing of it; Python has None there, and no command expects that."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the process ends


def _give_stdout_up() -> None:
    """Where stdout takes no more, what is left for it goes nowhere: the interpreter writes it as it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """Tell the person at the terminal, which obeys nothing of it; stdout stays for answers."""
    harmless = "\n".join(map(printable, text.split("\n")))
    print(f"mo-testplan: {harmless}", file=sys.stderr)  # noqa: T201


def entry() -> None:
    """The console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
