"""The changed lines of many commits, in one stream of ``git diff-tree -p -U0``."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import IO

from orchestrator.diff.git import Git
from orchestrator.diff.paths import decode, file_line
from orchestrator.domain.change import FileLines

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@ ?(.*)")
_COMMIT = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\n")
_OPTIONS = ("-r", "--root", "-m", "-p", "-U0", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv")
_PREFIXES = ("--src-prefix=a/", "--dst-prefix=b/")

#: Changed lines by path.
Patch = dict[str, FileLines]


def read_patches(git: Git, pairs: Sequence[tuple[str, str]], paths: Sequence[str]) -> Iterator[tuple[str, Patch]]:
    """For each (commit, parent; empty: a root) the changed lines of the files that match ``paths``, git pathspecs.

    Commits come in the order of ``pairs``; one that changes no such file comes with nothing, or not at all. The stream
    ends early where the clone lacks content that ``paths`` do not exclude.
    """
    process = subprocess.Popen(
        [git.program, "diff-tree", "--stdin", *_OPTIONS, *_PREFIXES, "--", *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=git.environment,
        cwd=git.git_dir,
    )
    try:
        source, answers = process.stdin, process.stdout
        if source is None or answers is None:
            return
        threading.Thread(target=_feed, args=(source, pairs), daemon=True).start()
        yield from _parse(answers)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                _close(stream)


def _feed(source: IO[bytes], pairs: Sequence[tuple[str, str]]) -> None:
    """Each line is ``commit parent``, which git compares as if that were the commit's one parent (a root: alone)."""
    try:
        for sha, parent in pairs:
            source.write(f"{sha} {parent}".rstrip().encode() + b"\n")
    except (BrokenPipeError, ValueError):
        return
    _close(source)


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except OSError:  # what was still to be written has no reader any more
        return


def _parse(stream: IO[bytes]) -> Iterator[tuple[str, Patch]]:
    sha, patch, names = "", Patch(), [b"", b""]
    for line in stream:
        if line.startswith(b"@@"):
            _hunk(line, stream, patch, names)
        elif line.startswith((b"--- ", b"+++ ")):
            name, nowhere = file_line(line[4:].rstrip(b"\n"))
            names[line[0] == 0x2B] = b"" if nowhere else name[2:]
        elif _COMMIT.fullmatch(line):
            if sha:
                yield sha, patch
            sha, patch = line.decode().strip(), Patch()
    if sha:
        yield sha, patch


def _hunk(line: bytes, stream: IO[bytes], patch: Patch, names: list[bytes]) -> None:
    match = _HUNK.match(line)
    current = patch.setdefault(decode(names[1] or names[0]), FileLines())
    if match is None:
        return
    current.headings.append(match[3])
    deleted, added = (int(count) if count is not None else 1 for count in match.group(1, 2))
    while deleted + added:
        text = stream.readline()
        if not text:
            break
        if text[:1] == b"-":
            deleted -= 1
            current.deleted.append(text[1:-1])
        elif text[:1] == b"+":
            added -= 1
            current.added.append(text[1:-1])
