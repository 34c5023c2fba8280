"""The case tree of a profile: searched, read, and asked whether it tests something already."""

from __future__ import annotations

import io
import os
import re
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.cases.corpus import Corpus
from orchestrator.cases.dedup_search import Finding, Search
from orchestrator.cases.discover import SCRIPT_SUFFIXES, find_result, find_scripts, read_text
from orchestrator.diff.git import find_git
from orchestrator.domain.errors import BadCaseError, UnknownRunError, UsageError, nearest
from orchestrator.domain.profile import Profile
from orchestrator.service.pulls import repository

#: Characters of a script that may be checked, and of a file that is read.
MAX_SCRIPT = 200_000
_WORD = re.compile(r"\w+")
_LINES = 3
#: Unpacked trees that are kept: whoever reads one may go on when the base branch has moved.
_TREES = 3
_TREE = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class CaseHit:
    """A script in which the words occur."""

    path: str
    #: How many of the words it has, and how often in all.
    words: int
    times: int
    #: The first lines with most of them: ``(line, text)``.
    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class CaseText:
    """A script and what it expects, both cut to :data:`MAX_SCRIPT` characters."""

    path: str
    script: str
    #: The result file; None where there is none.
    result: str | None
    cut: bool


class CaseLibrary:
    """The scripts at the base branch: those of the work tree, or what git has of it, unpacked below ``state``."""

    def __init__(self, profile: Profile, state: Path) -> None:
        self._profile, self._state = profile, state
        self._lock = threading.Lock()

    def search(self, query: str, limit: int = 10) -> list[CaseHit]:
        """Scripts that have the words of ``query``, those that have most of them first."""
        words = [word.lower() for word in dict.fromkeys(_WORD.findall(query))][:20]
        if not words:
            raise UsageError("there is no word to search for", "Give SQL words or names: `window rank partition`.")
        root = self.root()
        hits = [hit for path in find_scripts(root) if (hit := _hit(root, path, words)) is not None]
        return sorted(hits, key=lambda hit: (-hit.words, -hit.times, hit.path))[: max(1, min(limit, 50))]

    def read(self, name: str) -> CaseText:
        """A script of the tree and its result file."""
        root = self.root()
        path = self._inside(root, name)
        text, found = read_text(path), find_result(str(path))
        result = read_text(Path(found)) if found else None
        cut = max(len(text), len(result or "")) > MAX_SCRIPT
        return CaseText(name, text[:MAX_SCRIPT], result[:MAX_SCRIPT] if result is not None else None, cut)

    def check(self, script: str, name: str = "new.sql") -> tuple[int, list[Finding]]:
        """How many statements ``script`` has, and what of it the tree tests already."""
        if len(script) > MAX_SCRIPT:
            raise UsageError(f"the script has {len(script)} characters", f"Check at most {MAX_SCRIPT} at once.")
        with self._lock:  # one reader of the index at a time: its first use builds it
            corpus, _ = Corpus.open(self.root(), self._state / f"cases-{self._profile.name}.index")
            try:
                search = Search(corpus)
                read = search.read(script, name)
                return len(read.statements), list(search.look_up(read))
            finally:
                corpus.close()

    def root(self) -> Path:
        """The directory of the scripts."""
        clone, cases = repository(self._profile), self._profile.bvt.cases
        if (clone / cases).is_dir():
            return clone / cases
        git = find_git(clone)
        done = git.run("rev-parse", "--verify", "--quiet", f"{self._profile.base_branch}^{{tree}}")
        tree = done.stdout.decode("ascii", "replace").strip()
        if done.returncode or not tree:
            raise UnknownRunError(f"the clone has no branch {self._profile.base_branch!r}", "Fetch it there.")
        place = self._state / "cases" / self._profile.name / tree
        if not place.is_dir():
            _unpack(git.run("archive", "--format=tar", tree, "--", cases).stdout, place)
        return place / cases

    def _inside(self, root: Path, name: str) -> Path:
        plain = PurePosixPath(name)
        path = root.joinpath(*plain.parts)
        if plain.is_absolute() or ".." in plain.parts or not name.endswith(SCRIPT_SUFFIXES) or not os.path.isfile(path):  # noqa: PTH113 - False for a name too long, too
            known = (str(found.relative_to(root)) for found in find_scripts(root))
            raise BadCaseError(f"there is no script {name[:200]!r}", nearest(name[:200], known))
        return path


def _hit(root: Path, path: Path, words: list[str]) -> CaseHit | None:
    text = read_text(path)
    low = text.lower()
    counts = [low.count(word) for word in words]
    if not any(counts):
        return None
    rows = sorted(_rows(text, words), reverse=True)[:_LINES]
    lines = tuple((-place, line[:200]) for _, place, line in rows)
    return CaseHit(path.relative_to(root).as_posix(), sum(map(bool, counts)), sum(counts), lines)


def _rows(text: str, words: list[str]) -> Iterator[tuple[int, int, str]]:
    """(words on the line, minus its number, the line)."""
    for number, line in enumerate(text.splitlines(), 1):
        found = sum(word in line.lower() for word in words)
        if found:
            yield found, -number, line.strip()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # somebody else has removed it
        return 0.0


def _unpack(archive: bytes, place: Path) -> None:
    """Regular files only, and all of it or nothing; of the trees before it the newest stay."""
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=place.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None and not path.is_absolute() and ".." not in path.parts:
                    target = scratch / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
        try:
            scratch.rename(place)
        except OSError:
            if not place.is_dir():  # else somebody else was first
                raise
        trees = [path for path in place.parent.iterdir() if _TREE.fullmatch(path.name)]
        for old in sorted(trees, key=_changed)[:-_TREES]:
            shutil.rmtree(old, ignore_errors=True)
    except (tarfile.TarError, OSError) as error:
        raise BadCaseError(f"the case tree cannot be unpacked: {error}", "Look at the clone and the disk.") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
