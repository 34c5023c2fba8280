"""The text of a unified diff, file by file.

Reads what git (``diff``, ``show``, ``log -p``, ``format-patch``; combined merges too), GNU diff, Mercurial and
Subversion write. Why not by the unidiff library: docs/adr/0004-own-diff-reader.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.diff.hunks import Hunk, Lines, damaged, read_hunks
from orchestrator.diff.paths import DEV_NULL, file_line, git_names, same_file, strip_pair, unquote
from orchestrator.domain.change import ChangeKind

_EXTENDED = re.compile(
    rb"(old mode|new mode|deleted file mode|new file mode|mode|copy from|copy to|rename from|rename to"
    rb"|similarity index|dissimilarity index|index|Binary files|GIT binary patch)(?: (.*)|$)"
)
_SUBMODULE = re.compile(rb"Submodule (.+) (?:[0-9a-f]{7,}\.{2,3}[0-9a-f]{7,}|contains ).*")
_BINARY = re.compile(rb"(?:Binary files|Files) (.+) and (.+) differ")
_INDEX = re.compile(rb"([0-9a-f]{7,})\.\.([0-9a-f]{7,})(?: (\d{6}))?")
#: A line outside of hunks that is longer than this names no file.
_LONGEST_LINE = 10_000
#: Modes of a symbolic link and of a submodule: their lines are no source.
_NOT_A_FILE = (b"120000", b"160000")
#: Lines of `diff -r` and `git diff` that name a file and show nothing of it.
_FILES_WITHOUT_DIFF = (b"Only in ", b"* Unmerged path ")
#: How every line outside of hunks starts that is worth a look.
_STARTS = (b"diff --", b"--- ", b"Submodule ", b"Binary files ", b"Files ", *_FILES_WITHOUT_DIFF)
#: What `git format-patch` and mail programs put behind the last hunk: a signature's mark.
_NO_STRAY = (b"-- ", b"--")


@dataclass(slots=True)
class FileDiff:
    """What a diff says of one file; paths are unquoted bytes without prefix."""

    path: bytes = b""
    kind: ChangeKind = ChangeKind.MODIFIED
    old_path: bytes | None = None
    binary: bool = False
    added: int = 0
    deleted: int = 0
    #: Object ids as the ``index`` line has them, abbreviated or whole.
    old_id: str = ""
    new_id: str = ""
    #: Kept for source files only.
    hunks: list[Hunk] = field(default_factory=list)
    #: Whether the diff shows anything at all: a hunk, a mode, a rename.
    shows_change: bool = False

    def wants_hunks(self) -> bool:
        """Whether this is Go source or a grammar, so that its lines are worth keeping."""
        return self.path.endswith((b".go", b".y"))


def parse(data: bytes, warnings: list[str]) -> Iterator[FileDiff]:
    """Yield the files of a diff in its own order; what was skipped is told in ``warnings``.

    Raises:
        BadDiffError: a file's header or hunks are damaged. Text around the files is no damage.
    """
    lines = Lines(data)
    while not lines.ended:
        if not lines.current.startswith(_STARTS):
            lines.advance()
        elif lines.current.startswith((b"diff --git ", b"diff --cc ", b"diff --combined ")):
            yield _read_git(lines, warnings)
        elif lines.current.startswith(b"--- "):
            if (file := _read_plain(lines, warnings)) is not None:
                yield file
        else:
            if (single := _read_single_line(lines.text)) is not None:
                yield single
            elif lines.current.startswith(_FILES_WITHOUT_DIFF):
                warnings.append(f"line {lines.number} was skipped: {_show(lines.text[:200])}")
            lines.advance()


def _read_single_line(text: bytes) -> FileDiff | None:
    if len(text) > _LONGEST_LINE:
        return None
    if match := _SUBMODULE.fullmatch(text):
        return FileDiff(match[1], shows_change=True)
    if match := _BINARY.fullmatch(text):
        return _plain_file(match[1], match[2], match[1] == DEV_NULL, match[2] == DEV_NULL, binary=True)
    return None


def _read_git(lines: Lines, warnings: list[str]) -> FileDiff:
    """Read a section that starts with ``diff --git``, ``--cc`` or ``--combined``."""
    number = lines.number
    _, kind, rest = lines.text.split(b" ", 2)
    combined = kind != b"--git"
    header = _Header(rest, (unquote(rest), unquote(rest)) if combined else git_names(rest))
    lines.advance()
    while match := _EXTENDED.match(lines.text):
        header.extended(match[1], match[2] or b"")
        lines.advance()
    while lines.current.startswith(b"--- "):  # more than one with --combined-all-paths
        header.old_line = file_line(lines.text[4:])
        lines.advance()
    if header.old_line:
        if not lines.current.startswith(b"+++ "):
            raise damaged(lines, "a `---` line without its `+++` line")
        header.new_line = file_line(lines.text[4:])
        lines.advance()
    file = header.resolve()
    if not file.path:
        raise damaged(lines, f"the header at line {number} names no file")
    _read_body(lines, file, warnings, keep=file.wants_hunks() and header.is_source)
    if not file.shows_change and (header.new_line or lines.unfinished):
        raise damaged(lines, f"the diff of {_show(file.path)} has a header only")
    if not file.shows_change:
        warnings.append(f"the diff of {_show(file.path)} (line {number}) is empty; was it cut off?")
    return file


class _Header:
    """Collects the lines between ``diff --git`` and the first hunk."""

    def __init__(self, rest: bytes, names: tuple[bytes, bytes] | None) -> None:
        self.rest = rest
        self.names = names
        self.old_line: tuple[bytes, bool] | None = None
        self.new_line: tuple[bytes, bool] | None = None
        self.moved: dict[bytes, bytes] = {}
        self.is_source = True
        self.file = FileDiff()

    def extended(self, word: bytes, value: bytes) -> None:
        """Take one extended header line."""
        if word in (b"new file mode", b"deleted file mode"):
            self.file.kind = ChangeKind.ADDED if word == b"new file mode" else ChangeKind.DELETED
        if word in (b"new file mode", b"deleted file mode", b"old mode", b"new mode"):
            self.is_source = self.is_source and value not in _NOT_A_FILE
        elif word.startswith((b"rename", b"copy")):
            self.moved[word] = value
        elif word in (b"Binary files", b"GIT binary patch"):
            self.file.binary = True
        elif word == b"index" and (match := _INDEX.fullmatch(value)):
            self.file.old_id, self.file.new_id = match[1].decode(), match[2].decode()
            self.is_source = self.is_source and match[3] not in _NOT_A_FILE
        self.file.shows_change = self.file.shows_change or word != b"index"

    def resolve(self) -> FileDiff:
        """Decide the path: rename lines are exact, then the two names of the first line, then ``---`` and ``+++``."""
        file = self.file
        if b"rename to" in self.moved:
            file.path, file.kind = self._target(b"rename to"), ChangeKind.RENAMED
            file.old_path = unquote(self.moved.get(b"rename from", b"")) or None
        elif b"copy to" in self.moved:
            file.path, file.kind = self._target(b"copy to"), ChangeKind.ADDED
        elif self.names and (same := same_file(*self.names)) is not None:
            file.path = same
        elif self.old_line and self.new_line:
            old, new = strip_pair(self.old_line[0], self.new_line[0])
            file.path = old if file.kind is ChangeKind.DELETED or new == DEV_NULL else new
        elif self.names and file.shows_change:
            file.path = strip_pair(*self.names)[file.kind is not ChangeKind.DELETED]
        return file

    def _target(self, word: bytes) -> bytes:
        """The new name of a rename or copy; nothing when it is not the one that the first line ends with."""
        value = self.moved[word]
        bare = value.lstrip(b'"')
        return unquote(value) if bare and self.rest.endswith(bare) else b""


def _read_plain(lines: Lines, warnings: list[str]) -> FileDiff | None:
    """Read ``---``, ``+++`` and hunks without a git header; ``None`` when it is only text that looks like it."""
    old, no_old = file_line(lines.text[4:])
    lines.advance()
    if not lines.current.startswith(b"+++ "):
        return None
    new, no_new = file_line(lines.text[4:])
    lines.advance()
    if not lines.current.startswith(b"@@ -"):
        raise damaged(lines, "`---` and `+++` lines without a hunk")
    file = _plain_file(old, new, no_old, no_new)
    if not file.path:
        raise damaged(lines, "the header names no file")
    _read_body(lines, file, warnings, keep=file.wants_hunks())
    return file


def _plain_file(old: bytes, new: bytes, no_old: bool, no_new: bool, *, binary: bool = False) -> FileDiff:
    kind = ChangeKind.ADDED if no_old else ChangeKind.DELETED if no_new else ChangeKind.MODIFIED
    old, new = strip_pair(unquote(old), unquote(new))
    path = old if new == DEV_NULL or (no_new and old != DEV_NULL) else new
    return FileDiff(path, kind, binary=binary, shows_change=True)


def _read_body(lines: Lines, file: FileDiff, warnings: list[str], keep: bool) -> None:
    for hunk in read_hunks(lines, keep):
        file.added += hunk.added
        file.deleted += hunk.deleted
        file.shows_change = True
        if keep:
            file.hunks.append(hunk)
    mark = lines.current[:1]
    expected = mark not in (b"+", b"-") or lines.current.startswith(b"--- ") or lines.text in _NO_STRAY
    if file.added + file.deleted and not expected:
        warnings.append(f"line {lines.number}, after the last hunk of {_show(file.path)}, was skipped")


def _show(path: bytes) -> str:
    return repr(path.decode("utf-8", "surrogateescape"))
