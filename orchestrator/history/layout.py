"""Which files of a project are cases, tests and production code, as far as history must know."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.profile import Profile

#: Extensions of a case's script and of its expectation.
SCRIPTS = ("sql", "test")
EXPECTATION = "result"
_GO_TEST = "_test.go"


@dataclass(frozen=True, slots=True)
class Layout:
    """The places a profile names."""

    #: The case tree, with a slash at its end.
    cases: str
    #: The top directory of the case tree, with a slash: nothing below it is production code.
    tests: str

    def case_of(self, path: str) -> tuple[str, str] | None:
        """The stem (``category/path`` without extension) and the extension of a case's file; None for other files."""
        if not path.startswith(self.cases) or not is_plain(path):
            return None
        stem, _, extension = path[len(self.cases) :].rpartition(".")
        known = "/" in stem and (extension in SCRIPTS or extension == EXPECTATION)
        return (stem, extension) if known else None

    def is_production(self, path: str) -> bool:
        """Whether a change of this file is something to test."""
        return not path.startswith(self.tests) and not path.endswith((_GO_TEST, ".md")) and is_plain(path)


def is_plain(path: str) -> bool:
    """Whether a name can be planned: what does not print, or would be taken for an option, cannot."""
    return path.isprintable() and not path.startswith("-") and "/-" not in path


def layout_of(profile: Profile) -> Layout:
    """The places of a profile."""
    cases = profile.bvt.cases.strip("/") + "/"
    return Layout(cases, cases.partition("/")[0] + "/")


def package_of_test(path: str) -> str | None:
    """The package directory whose unit tests a file is one of."""
    return (path.rpartition("/")[0] or ".") if path.endswith(_GO_TEST) and is_plain(path) else None


def go_package(path: str) -> str:
    """The package directory that a Go file belongs to or is data of (``.``: the root).

    Directories called ``testdata`` or ``vendor``, or starting with ``_`` or ``.``, are no packages (``go help
    packages``): their files count as the package around them.
    """
    parts = path.split("/")[:-1]
    for depth, part in enumerate(parts):
        if part in ("testdata", "vendor") or part.startswith(("_", ".")):
            parts = parts[:depth]
            break
    return "/".join(parts) or "."


def category_of(stem: str) -> str:
    """The category of a case."""
    return stem.partition("/")[0]


#: Git pathspecs of files whose changed lines are worth reading.
SOURCES = ("*.go", "*.y", ":(exclude)*.pb.go", ":(exclude)*_test.go")
