from __future__ import annotations

from collections.abc import Mapping

from orchestrator.surface.calls import CallIndex
from orchestrator.surface.model import Definition

OPEN = Definition("pkg", "Open")
LINUX = "package p\n\nfunc Open() {\n\tlinux()\n\tshared()\n}\n"
OTHER = "package p\n\nfunc Open() {\n\tother()\n\tshared()\n}\n"
PARTS = "package p\n\nfunc linux() {}\n\nfunc other() {}\n\nfunc shared() {}\n"


def moved(*revisions: Mapping[str, str]) -> CallIndex:
    index = CallIndex()
    for files in revisions:
        index.move(files, lambda path, files=files: files[path].encode())  # type: ignore[misc]
    return index


def seen(index: CallIndex) -> dict[str, list[str]]:
    """Who calls each function, and what it refers to."""
    return {
        one.name: [*sorted(index.references(one)), "←", *(caller.name for caller in index.callers(one))]
        for one in index.definitions()
    }


def test_a_function_that_several_files_have_refers_to_what_any_of_them_does() -> None:
    index = moved({"pkg/a_linux.go": LINUX, "pkg/b.go": OTHER, "pkg/parts.go": PARTS})
    assert index.references(OPEN) == {"linux", "other", "shared"}
    assert index.callers(Definition("pkg", "linux")) == [OPEN]


def test_a_revision_looks_the_same_whatever_was_looked_at_before() -> None:
    one = {"pkg/a_linux.go": LINUX, "pkg/parts.go": PARTS}
    both = {"pkg/a_linux.go": LINUX, "pkg/b.go": OTHER, "pkg/parts.go": PARTS}
    changed = both | {"pkg/b.go": "package p\n\nfunc Open() {\n\tshared()\n}\n"}
    assert seen(moved(both, one)) == seen(moved(one))
    assert seen(moved(both, changed)) == seen(moved(changed))
    assert seen(moved(changed, {}, both)) == seen(moved(both))
