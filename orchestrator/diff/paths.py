"""Which file a diff header speaks of: C-style quotes, prefixes, ``/dev/null``, time stamps.

How git writes names: https://git-scm.com/docs/diff-format and ``core.quotePath`` in git-config(1).
"""

from __future__ import annotations

import re

DEV_NULL = b"/dev/null"

#: First parts that git puts before a name: the usual two, and those of ``diff.mnemonicPrefix`` and ``--no-index``.
_PREFIX = re.compile(rb"[abciow12]/")
_ESCAPE = re.compile(rb'\\([0-7]{1,3}|[abtnvfr"\\])')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
#: No two paths of any system are longer than this; longer headers are hostile.
_LONGEST = 3 * 4096
_QUOTED = re.compile(rb'"((?>(?:[^"\\]++|\\.)*))"')
#: GNU diff marks a file that is not there by the epoch, in whatever time zone.
_EPOCH = re.compile(rb"^(?:1970-01-01|1969-12-31) .*:00(?:\.0+)? |^Thu Jan +0?1 .* 1970|^Wed Dec 31 .* 1969")


def decode(path: bytes) -> str:
    """Make text of a path; bytes that are not UTF-8 become surrogate escapes."""
    return path.decode("utf-8", "surrogateescape")


def unquote(name: bytes) -> bytes:
    """Undo git's C-style quoting; a name without quotes is returned as it is, one that cannot be a path as nothing."""
    if len(name) > _LONGEST:
        return b""
    match = _QUOTED.fullmatch(name)
    return _ESCAPE.sub(_unescape, match[1]) if match else name


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1].isdigit():
        return bytes([int(code, 8) & 0xFF])
    return _LETTERS.get(code, code)


def file_line(rest: bytes) -> tuple[bytes, bool]:
    """Read what follows ``--- `` or ``+++ ``: the name, and whether the line says that there is no such file."""
    if len(rest) > _LONGEST:
        return b"", False
    if match := _QUOTED.match(rest):
        return unquote(match[0]), False
    name, _, stamp = rest.partition(b"\t")
    return name, name == DEV_NULL or _EPOCH.match(stamp) is not None


def git_names(rest: bytes) -> tuple[bytes, bytes] | None:
    """Split what follows ``diff --git `` into its two names, prefixes left on; ``None`` when it cannot be told."""
    if len(rest) > _LONGEST:
        return None
    if first := _QUOTED.match(rest):
        second = rest[first.end() :]
        return (unquote(first[0]), unquote(second[1:])) if second[:1] == b" " and len(second) > 1 else None
    if rest.endswith(b'"') and (at := rest.find(b' "')) > 0:
        return rest[:at], unquote(rest[at + 1 :])
    return _split_unquoted(rest)


def _split_unquoted(rest: bytes) -> tuple[bytes, bytes] | None:
    """Names with spaces are not quoted: both halves of the line must then name the same file."""
    middle = len(rest) // 2
    spaces = [at for at, byte in enumerate(rest) if byte == 0x20]
    for at in sorted(spaces, key=lambda at: abs(at - middle)):
        if same_file(rest[:at], rest[at + 1 :]) is not None:
            return rest[:at], rest[at + 1 :]
    return (rest[: spaces[0]], rest[spaces[0] + 1 :]) if len(spaces) == 1 and all(rest.split(b" ")) else None


def same_file(old: bytes, new: bytes) -> bytes | None:
    """The one file that two names speak of, without their prefixes; ``None`` when they name two files."""
    if old == new:
        return old or None
    old_top, _, old_rest = old.partition(b"/")
    new_top, _, new_rest = new.partition(b"/")
    return old_rest if old_rest and old_rest == new_rest and old_top != new_top else None


def strip_pair(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Take the prefixes off the two names of a change; ``/dev/null`` stays."""
    if (same := same_file(old, new)) is not None:
        return same, same
    if all(name == DEV_NULL or _PREFIX.match(name) for name in (old, new)):
        return (old if old == DEV_NULL else old[2:]), (new if new == DEV_NULL else new[2:])
    return old, new


def is_outside(path: str) -> bool:
    """Whether a path would leave the tree if somebody followed it."""
    return path.startswith("/") or ".." in path.split("/")
