"""Names that come from diffs and foreign plans: which may become a directory or an argument, and how to show them."""

from __future__ import annotations

from collections.abc import Iterable


def is_safe_path(name: str) -> bool:
    """Whether ``name`` is a plain relative path: no ``..``, nothing absolute, no leading ``-``, all printable.

    Such a name can be joined to a directory, or be an argument of a program, without leaving the one or changing the
    other.
    """
    if not name.isprintable() or name.startswith("-"):
        return False
    return name == "." or all(part not in ("", ".", "..") for part in name.split("/"))


def is_package_pattern(name: str) -> bool:
    """Whether ``name`` is a Go package directory below the root, ``.``, or a pattern (``pkg/a/...``, ``...``)."""
    return name == "..." or is_safe_path(name.removesuffix("/..."))


def clean(text: str) -> str:
    """``text`` as Unicode that can be written: bytes that were not UTF-8 become U+FFFD."""
    return text if text.isascii() else "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def mention(paths: list[str]) -> str:
    """The first of ``paths`` and how many more there are."""
    more = len(paths) - 1
    return f"{paths[0]} and {more} more" if more > 0 else paths[0]


def left_out(names: Iterable[str]) -> str:
    """What a plan says of ``names``, at least one, that no task may have."""
    return f"Left out, since no program can be given such a name: {mention(sorted(names))}. Rename it."
