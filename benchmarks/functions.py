"""Changed functions against Go's own parser, and files and counts against git, on the merged PRs of a real repository.

    MO_REPO=/path/to/matrixone python benchmarks/functions.py [--limit 300] [--skip 0] [--step 1] [--format json]

Every commit on the first-parent line stands for one PR. Ground truth: the changed lines that `git diff -M` shows (with
its three lines of context: without them git places some insertions elsewhere), and the spans that go/parser sees in the
old and the new file (gofuncs/main.go). Nothing of it passes through the reader under test. Needs git and go. Exit code
1 when a figure is below its promise.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from orchestrator.diff.source import from_repository, from_text
from orchestrator.domain.change import ChangeKind, DiffSummary
from orchestrator.domain.errors import MoTestplanError

#: (file, function) pairs of one change.
Pairs = set[tuple[str, str]]
#: Promises: precision and recall, with the repository and from the text alone.
PROMISED = {"repository": (0.99, 0.99), "text": (0.90, 0.75)}
_LETTER = {
    ChangeKind.ADDED: "A",
    ChangeKind.MODIFIED: "M",
    ChangeKind.DELETED: "D",
    ChangeKind.RENAMED: "R",
}
_HUNK = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def git(repo: Path, *arguments: str, send: bytes = b"") -> bytes:
    """Run git with no one's configuration; the output."""
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "safe.directory=*", f"--git-dir={repo}", *arguments]
    return subprocess.run(command, input=send, capture_output=True, env=environment, check=True).stdout


@dataclass(slots=True)
class Changed:
    """One file as git tells it: ids of both sides, and the changed lines on each."""

    path: str
    ids: tuple[str, str]
    lines: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))


def changed_files(repo: Path, parent: str, commit: str) -> list[Changed]:
    """The files of a change with their changed lines, by git's raw records and its hunks."""
    output = git(repo, "diff", "-M", "--raw", "-z", "--no-abbrev", "-p", parent, commit)
    raw, _, patch = output.partition(b"\0\0")
    fields = iter(raw.decode("utf-8", "surrogateescape").rstrip("\0").split("\0"))
    files: list[Changed] = []
    sections: list[Changed] = []
    for line in filter(None, fields):
        _, _, old, new, status = line.lstrip(":").split()
        path = next(fields)
        file = Changed(next(fields) if status[0] in "RC" else path, (old, new))
        files.append(file)
        sections += [file, file] if status == "T" else [file]
    read_lines(patch, sections)
    return files


def read_lines(patch: bytes, sections: list[Changed]) -> None:
    """Note the changed lines of each section; in git's own output no line of a hunk looks like a heading."""
    at = -1
    old = new = 0
    for line in patch.split(b"\n"):
        if line.startswith(b"diff --git "):
            at, old, new = at + 1, 0, 0
        elif match := _HUNK.match(line):
            old, new = int(match[1]), int(match[2])
        elif old or new:
            if line[:1] == b"-":
                sections[at].lines[0].append(old)
            elif line[:1] == b"+":
                sections[at].lines[1].append(new)
            old += line[:1] in (b"-", b" ")
            new += line[:1] in (b"+", b" ")


class GoParser:
    """The spans of Go files, by Go's own parser."""

    def __init__(self, repo: Path, folder: Path) -> None:
        self.repo = repo
        self.program = folder / "gofuncs"
        source = Path(__file__).parent / "gofuncs"
        environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local"}
        subprocess.run(["go", "build", "-o", self.program, "."], cwd=source, env=environment, check=True)

    def spans(self, ids: list[str]) -> dict[str, list[tuple[str, int, int]] | None]:
        """Blob id → (name, first line, last line) of each function; ``None`` when Go refuses the file."""
        found: dict[str, list[tuple[str, int, int]] | None] = {}
        feed = b"".join(b"%s %d\n%s" % blob for blob in self._blobs(ids))
        answer = subprocess.run([self.program], input=feed, capture_output=True, check=True).stdout.decode()
        functions: list[tuple[str, int, int]] = []
        for words in map(str.split, answer.splitlines()):
            if len(words) == 3:
                functions.append((words[0], int(words[1]), int(words[2])))
            else:
                functions = []
                found[words[1]] = functions if words[0] == "file" else None
        return found

    def _blobs(self, ids: list[str]) -> Iterator[tuple[bytes, int, bytes]]:
        output = git(self.repo, "cat-file", "--batch", send="\n".join(ids).encode() + b"\n")
        at = 0
        while at < len(output):
            end = output.index(b"\n", at)
            words = output[at:end].split()
            at = end + 1
            if len(words) == 3:
                size = int(words[2])
                yield words[0], size, output[at : at + size]
                at += size + 1


def true_pairs(files: list[Changed], go: GoParser) -> tuple[Pairs, set[str]]:
    """The changed functions by Go's parser, and the Go files that count (those that Go can read on both sides)."""
    sources = [file for file in files if file.path.endswith(".go")]
    wanted = {name for file in sources for name, lines in zip(file.ids, file.lines, strict=True) if lines}
    spans = go.spans(sorted(wanted)) if wanted else {}
    pairs: Pairs = set()
    counted = set()
    for file in sources:
        sides = [(spans.get(name), lines) for name, lines in zip(file.ids, file.lines, strict=True) if lines]
        if any(functions is None for functions, _ in sides):
            continue
        counted.add(file.path)
        for functions, lines in sides:
            pairs |= {
                (file.path, name)
                for name, first, last in functions or []
                if any(first <= line <= last for line in lines)
            }
    return pairs, counted


@dataclass(slots=True)
class Score:
    """Right, wrong and missed functions of one way of reading."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, found: Pairs, truth: Pairs) -> None:
        """Count one change."""
        self.right += len(found & truth)
        self.wrong += len(found - truth)
        self.missed += len(truth - found)

    def figures(self) -> dict[str, float]:
        """What is printed."""
        return {
            "precision": round(self.right / max(1, self.right + self.wrong), 4),
            "recall": round(self.right / max(1, self.right + self.missed), 4),
            "functions": self.right + self.missed,
            "median_ms": round(1000 * statistics.median(self.seconds), 2) if self.seconds else 0.0,
        }


def told_by_git(repo: Path, parent: str, commit: str) -> dict[str, tuple[str, int, int]]:
    """Path → status letter, lines added, lines deleted, by git's own lists."""
    status = git(repo, "diff", "--name-status", "-z", "-M", parent, commit).decode("utf-8", "surrogateescape")
    fields = filter(None, status.split("\0"))
    kinds: dict[str, str] = {}
    for word in fields:
        path = next(fields)
        kinds[next(fields) if word[0] in "RC" else path] = word[0].replace("T", "M")
    numstat = git(repo, "diff", "--numstat", "-z", "-M", parent, commit).decode("utf-8", "surrogateescape")
    numbers = filter(None, numstat.split("\0"))
    told: dict[str, tuple[str, int, int]] = {}
    for line in numbers:
        added, deleted, path = line.split("\t")
        path = path or (next(numbers), next(numbers))[1]
        told[path] = (kinds[path], int(added.replace("-", "0")), int(deleted.replace("-", "0")))
    return told


def differences(commit: str, summary: DiffSummary, told: dict[str, tuple[str, int, int]]) -> list[str]:
    """What the reader says otherwise than git."""
    read = {file.path: (_LETTER[file.change_kind], file.added, file.deleted) for file in summary.files}
    paths = sorted(read.keys() | told.keys())
    return [
        f"{commit} {path}: {read.get(path)}, git: {told.get(path)}"
        for path in paths
        if read.get(path) != told.get(path)
    ]


def pairs_of(summary: DiffSummary, counted: set[str]) -> Pairs:
    """The functions that the reader found in files that count."""
    return {(file.path, name) for file in summary.files if file.path in counted for name in file.functions}


def measure(repo: Path, commits: list[str], verbose: bool) -> dict[str, object]:
    """Read every commit both ways and compare."""
    scores = {"repository": Score(), "text": Score()}
    errors: list[str] = []
    differing: list[str] = []
    lacking: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        go = GoParser(repo, Path(folder))
        for commit in commits:
            parent = f"{commit}^"
            try:
                truth, counted = true_pairs(changed_files(repo, parent, commit), go)
                told = told_by_git(repo, parent, commit)
                text = git(repo, "diff", "-M", parent, commit)
            except subprocess.CalledProcessError:
                # The clone lacks a file of this change, so that git gives no diff; the reader lists it all the same.
                lacking.append(f"{commit} {len(from_repository(repo, parent, commit).files)} files")
                continue
            readers = {"repository": partial(from_repository, repo, parent, commit), "text": partial(from_text, text)}
            for way, read in readers.items():
                started = time.perf_counter()
                try:
                    summary = read()
                except MoTestplanError as error:
                    errors.append(f"{commit} {way}: {error.message}")
                    continue
                scores[way].seconds.append(time.perf_counter() - started)
                found = pairs_of(summary, counted)
                scores[way].add(found, truth)
                differing += differences(commit, summary, told)
                if verbose:
                    tell(commit, way, found, truth)
    figures = {way: score.figures() for way, score in scores.items()}
    return {"prs": len(commits), "unknown_to_git": lacking, **figures, "errors": errors, "differs_from_git": differing}


def tell(commit: str, way: str, found: Pairs, truth: Pairs) -> None:
    """Show each wrong and each missed function."""
    for path, name in sorted(found - truth):
        print(f"{commit[:12]} {way} wrong  {path} {name}", file=sys.stderr)
    for path, name in sorted(truth - found):
        print(f"{commit[:12]} {way} missed {path} {name}", file=sys.stderr)


def kept(result: dict[str, object]) -> bool:
    """Whether every promise holds."""
    good = not result["errors"] and not result["differs_from_git"]
    for way, (precision, recall) in PROMISED.items():
        figures = result[way]
        assert isinstance(figures, dict)
        good = good and figures["precision"] >= precision and figures["recall"] >= recall
    return good


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", default=os.environ.get("MO_REPO"), help="a MatrixOne clone (default: $MO_REPO)")
    parser.add_argument("--limit", type=int, default=300, help="how many PRs")
    parser.add_argument("--skip", type=int, default=0, help="how many of the newest to leave out")
    parser.add_argument("--step", type=int, default=1, help="take every n-th")
    parser.add_argument("--verbose", action="store_true", help="show every wrong and missed function on stderr")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args()
    if not options.repo:
        parser.error("name a MatrixOne clone by --repo or MO_REPO")
    repo = Path(options.repo)
    repo = repo / ".git" if (repo / ".git").is_dir() else repo
    span = options.skip + options.limit * options.step
    history = git(repo, "rev-list", "--first-parent", "--min-parents=1", f"--max-count={span}", "HEAD").decode().split()
    result = measure(repo, history[options.skip :: options.step][: options.limit], options.verbose)
    if options.format == "json":
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name:<18}{value}")
    return 0 if kept(result) else 1


if __name__ == "__main__":
    sys.exit(main())
