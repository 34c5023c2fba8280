"""``mo-testplan cases generate``: the cases that a change lacks, tried on a server, without what is tested already.

The change is what a branch changed (--repo DIR --base REV --head REV), or a diff (--diff FILE, - is stdin) against
--base of --repo. Without a server the cases are written unverified; an expectation is written only when the server is
the product of the profile. No file is ever overwritten.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.output import emit
from orchestrator.cli.plan import DEFAULT_PROFILE
from orchestrator.domain.errors import EXIT_FAILED, EXIT_PASSED, UsageError
from orchestrator.domain.options import positive
from orchestrator.domain.shown import printable
from orchestrator.settings import load_profile, settings_from

if TYPE_CHECKING:
    from orchestrator.domain.profile import Profile
    from orchestrator.generate.contribution import Source
    from orchestrator.generate.inputs import Inputs

_BUDGETS = range(1, 10_001)
#: What no name of a file takes from a revision: ``HEAD~1``, ``feature/x``.
_ODD = re.compile(r"[^A-Za-z0-9_]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--diff", metavar="FILE", help="a unified diff; - is stdin")
    parser.add_argument("--repo", metavar="DIR", help="a clone, bare or not; default: the profile's repository")
    parser.add_argument("--base", metavar="REV", help="what the change is against; default with --diff: HEAD")
    parser.add_argument("--head", metavar="REV", help="the change; default: HEAD")
    parser.add_argument("--title", metavar="TEXT", help="the title of the pull request; default: of the head commit")
    parser.add_argument("--pr", metavar="N", type=positive, help="its number, for the names of files")
    parser.add_argument("--profile", metavar="P", default=DEFAULT_PROFILE, help="name or file of a profile")
    parser.add_argument("--dsn", metavar="URL", help="try the cases on mysql://user:password@host:port")
    parser.add_argument("--server", choices=("mariadb", "embedded", "none"), default="none")
    parser.add_argument("--llm", action="store_true", help="also ask the model that MO_TESTPLAN_LLM_URL names")
    parser.add_argument("--budget", type=int, default=60, metavar="N", help="statements in all files together")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed takes other ways")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help="a folder for the files")
    parser.add_argument("--branch", metavar="NAME", help="also commit the files to a new branch of --repo")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Generate, try, write and tell; exit 1 when the server answered something that cannot be right."""
    if args.budget not in _BUDGETS:
        raise UsageError(f"--budget {args.budget} is out of range", "Give a number of statements from 1 to 10000.")
    if args.output.exists() and not args.output.is_dir():
        raise UsageError(f"{args.output} is not a folder", "Name a folder with -o.")
    from orchestrator.cli.generate_server import server_of
    from orchestrator.cli.life import ended_by_signals
    from orchestrator.generate.pipeline import Settings, make
    from orchestrator.generate.publish import check_branch, commit_branch, write_files

    settings = settings_from()
    profile = load_profile(args.profile, settings)
    repository = args.repo or settings.repo or profile.repository
    if args.branch:
        if repository is None or not args.base:
            raise UsageError("--branch needs --repo and --base", "Name the clone and what to branch from.")
        check_branch(Path(repository), args.branch)
    _progress("reading the change, the tree and its history")
    inputs = read_inputs(args, profile, repository)
    key = str(args.pr) if args.pr else _ODD.sub("_", (args.head or "diff")[:12])
    how = Settings(key, args.budget, args.seed, profile.name, profile.documentation)
    with ended_by_signals(), server_of(args.dsn, args.server) as server:
        made = make(inputs, how, server, _progress, _model(args))
    files = {f"{profile.bvt.cases}/{path}": text for path, text in made.files.items()}
    write_files(args.output, files)
    if args.branch and repository:
        commit_branch(Path(repository), args.branch, args.head or args.base, files, f"test: cases for {inputs.title}")
    text = made.report.as_json() if args.format == "json" else _harmless(made.report.as_text())
    emit(text.encode("utf-8", "replace"))
    return EXIT_FAILED if made.report.findings else EXIT_PASSED


def read_inputs(args: argparse.Namespace, profile: Profile, repository: str | None) -> Inputs:
    """What the options ask to generate for."""
    from orchestrator.generate.inputs import RepositoryInputs, inputs_of_diff
    from orchestrator.surface.readers import reader_named

    if args.diff and args.head:
        raise UsageError("--diff and --head both name a change", "Give one of them.")
    if not args.diff and (repository is None or not args.base):
        raise UsageError("no change to generate for", "Name one with --repo DIR --base REV --head REV, or --diff FILE.")
    if args.diff and repository is None:
        return inputs_of_diff(args.diff, args.title or "")
    reader = RepositoryInputs(Path(str(repository)), profile.bvt.cases, reader_named(profile.bvt.surface))
    if args.diff:
        return reader.read_diff(args.diff, args.base or "HEAD", args.title or "")
    return reader.read(args.base, args.head or "HEAD", args.title)


def _model(args: argparse.Namespace) -> Source | None:
    """The model that the environment names, when it is asked for."""
    if not args.llm:
        return None
    from orchestrator.generate.llm.source import model_from_environment

    return model_from_environment()


def _progress(line: str) -> None:
    sys.stderr.write(f"{_harmless(line)}\n")
    sys.stderr.flush()


def _harmless(text: str) -> str:
    """What a change, a tree, a server and a model say, for a terminal."""
    return "\n".join(map(printable, text.split("\n")))
