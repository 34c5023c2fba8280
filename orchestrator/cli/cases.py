"""Work with SQL cases: read, run, compare, generate and propose them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from orchestrator.domain.errors import EXIT_PASSED

#: Command: (module, what it does). A module offers ``add_arguments`` and ``run``, and is imported when it is called.
COMMANDS: dict[str, tuple[str, str]] = {
    "parse": ("orchestrator.cli.cases_parse", "print the commands of every script"),
    "expectations": ("orchestrator.cli.cases_expectations", "print what the result files expect of every command"),
    "run": ("workers.bvt.cli", "run scripts on a server and judge what it answers"),
    "index": ("orchestrator.cli.cases_index", "bring the index of a tree of scripts up to date"),
    "dedup": ("orchestrator.cli.cases_dedup", "say which new scripts repeat what a tree already tests"),
    "compare": ("orchestrator.cli.cases_compare", "say of pairs of SQL texts whether they test the same"),
    "stats": ("orchestrator.cli.cases_stats", "say how redundant a tree of scripts is"),
    "generate": ("orchestrator.cli.cases_generate", "write the cases that a change lacks"),
    "propose": ("orchestrator.cli.cases_propose", "open a pull request at GitHub with new cases"),
    "similar": ("orchestrator.cli.cases_similar", "find what resembles the statement on a line"),
}


#: Whose exit code is a verdict.
_JUDGES = frozenset({"run", "dedup", "generate"})


class _LazyParser(argparse.ArgumentParser):
    """A parser whose arguments are declared by ``module`` once it is its turn to parse."""

    module = ""

    def parse_known_args(  # type: ignore[override]  # the base is overloaded over the namespace's type
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,  # noqa: ANN401
    ) -> tuple[Any, list[str]]:
        if self.module:
            module, self.module = import_module(self.module), ""
            module.add_arguments(self)
            self.set_defaults(run_case_command=module.run)
        return super().parse_known_args(args, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands; their own arguments follow when one of them is called."""
    commands = parser.add_subparsers(dest="case_command", metavar="COMMAND", required=True, parser_class=_LazyParser)
    for name, (module, words) in COMMANDS.items():
        commands.add_parser(name, help=words, description=words).module = module


def run(args: argparse.Namespace) -> int:
    """Run the chosen command; its exit code. A reader that leaves early (``| head``) gets no verdict, else no error."""
    try:
        code = int(args.run_case_command(args))
        sys.stdout.flush()
    except BrokenPipeError:
        if args.case_command in _JUDGES:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PASSED
    return code
