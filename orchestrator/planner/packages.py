"""Go packages of a change: which directories the Go tool can be pointed at."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.domain.change import ChangeKind, DiffSummary, FileChange
from orchestrator.history.layout import go_package
from orchestrator.planner.evidence import Tree
from orchestrator.planner.names import is_safe_path


def package_of(file: FileChange) -> str | None:
    """The package that a Go file belongs to or is data of; ``None`` for other files and for names Go refuses."""
    return go_package(file.path) if file.is_go and is_safe_path(file.path) else None


def and_below(package: str) -> str:
    """The pattern for a package directory and all below it: ``pkg/sql/plan/...``; ``...`` for the root."""
    return "..." if package == "." else f"{package.rstrip('/')}/..."


def to_analyse(change: DiffSummary, tree: Tree | None) -> tuple[str, ...]:
    """Packages that hold changed Go files, sorted, without those that are gone (or may be, when no tree tells)."""
    present = _packages(file for file in change.files if file.change_kind is not ChangeKind.DELETED)
    if tree is None:
        return tuple(sorted(present))
    return tuple(sorted(filter(tree.has_directory, _packages(change.files))))


def _packages(files: Iterable[FileChange]) -> set[str]:
    return {package for file in files if (package := package_of(file)) is not None}
