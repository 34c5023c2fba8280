"""De-duplication: how right it is on labelled pairs and how fast on a corpus, beside two simple ways.

    python benchmarks/dedup.py [--parts accuracy,speed,query,growth,coverage] [--pairs FILE.jsonl[.gz]] [--cases DIR]

Pairs are those of ``--pairs``, else of ``dedup/eval_dev.jsonl.gz`` in the ground truth (MO_TESTPLAN_SHARED, by default
the sibling folder ``../shared``); the corpus is ``--cases``, else MO_CASES. Speed is told as ratios to reference 1 as a
Go program on one thread (dedup_reference): processor time of whole processes, taken in turns, the best of each; so
what else the machine does counts as little as it can.

Reference 1 removes comments, literals and case by regular expression and compares SHA-256. Reference 2 compares
lower-cased statements and calls a text a duplicate when over half of its statements exist.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started as a file: the project is one directory up
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.promised.measure import MissingError, environment, shared
from orchestrator.cases.corpus import Corpus
from orchestrator.cases.dedup import compare_texts
from orchestrator.cases.dedup_search import Search
from orchestrator.cases.discover import find_scripts, read_text
from orchestrator.cases.script import parse_script

ROOT = Path(__file__).resolve().parent.parent
Figures = dict[str, Any]
_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*|#[^\n]*", re.DOTALL)
_LITERALS = re.compile(r"'[^']*'|\"[^\"]*\"|\b\d+(?:\.\d+)?\b")
Judge = Callable[[dict[str, Any]], bool]


def reference_1(pair: dict[str, Any]) -> bool:
    """Comments, literals and case removed by regular expression, SHA-256."""

    def digest(text: str) -> str:
        text = _LITERALS.sub("?", _COMMENTS.sub(" ", text)).lower()
        return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()

    return digest(pair["a"]) == digest(pair["b"])


def reference_2(pair: dict[str, Any]) -> bool:
    """Lower-cased text; a duplicate when over half of the statements already exist."""
    there, new = (_lowered(pair[side]) for side in ("a", "b"))
    return sum(statement in there for statement in new) * 2 > len(new)


def _lowered(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.lower().split(";") if part.strip()]


def ours(pair: dict[str, Any]) -> bool:
    """This project's answer."""
    return compare_texts(pair["a"], pair["b"], pair.get("context_a") or "", pair.get("context_b") or "").duplicate


def accuracy(file: Path) -> Figures:
    """Precision, recall and F1 of each judge, and its share of right answers by kind of pair."""
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    pairs = [json.loads(line) for line in content.decode().splitlines() if line]
    judges: dict[str, Judge] = {"ours": ours, "reference 1": reference_1, "reference 2": reference_2}
    figures: Figures = {"file": file.name, "pairs": len(pairs), "judges": {}, "kinds": {}}
    for name, judge in judges.items():
        counts: dict[tuple[bool, bool], int] = defaultdict(int)
        for pair in pairs:
            label, answer = bool(pair["label"]), judge(pair)
            counts[label, answer] += 1
            kind = f"{'same' if label else 'different'}: {pair.get('kind', '')}, {pair.get('unit', '')}"
            entry = figures["kinds"].setdefault(kind, {"pairs": 0} | dict.fromkeys(judges, 0))
            entry[name] += label == answer
            entry["pairs"] += name == "ours"
        found = counts[True, True]
        precision = found / max(1, found + counts[False, True])
        recall = found / max(1, found + counts[True, False])
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        figures["judges"][name] = {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}
    return figures


def _processor_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=os.environ | {"GOMAXPROCS": "1"}, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _index_command(tree: Path, index: Path) -> list[str]:
    return [sys.executable, "-m", "orchestrator.cli.main", "cases", "index", str(tree), "--index", str(index)]


def _copy(cases: Path, room: Path) -> Path:
    """A copy of the corpus that may be written, its files as old as those of a corpus are."""
    tree = room / "cases"
    for path in find_scripts(cases):
        target = tree / path.relative_to(cases)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (1_600_000_000, 1_600_000_000))
    return tree


def speed(cases: Path, rounds: int) -> Figures:
    """Seconds of each task, the best of ``rounds``, and their ratios to reference 1; the index's size."""
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        program, index, tree = room / "reference", room / "index.db", _copy(cases, room)
        subprocess.run(["go", "build", "-o", program, "."], cwd=ROOT / "benchmarks" / "dedup_reference", check=True)
        five = sorted(find_scripts(tree))[:: max(1, len(list(find_scripts(tree))) // 5)][:5]
        times: dict[str, list[float]] = defaultdict(list)
        for number in range(rounds):
            times["reference"].append(_processor_seconds([str(program), str(tree)]))
            index.unlink(missing_ok=True)
            times["cold"].append(_processor_seconds(_index_command(tree, index)))
            times["unchanged"].append(_processor_seconds(_index_command(tree, index)))
            for path in five:
                path.write_bytes(path.read_bytes() + f"select {number} + 40;\n".encode())
            times["five files"].append(_processor_seconds(_index_command(tree, index)))
        best = {name: min(found) for name, found in times.items()}
        ratios = {name: round(value / best["reference"], 3) for name, value in best.items() if name != "reference"}
        seconds = {name: round(value, 3) for name, value in best.items()}
        return {"seconds": seconds, "ratios": ratios, "index_mb": round(index.stat().st_size / 1e6, 1)}


def query(cases: Path, size: int = 20) -> Figures:
    """Processor milliseconds to look up scripts of ``size`` statements, without and with advice on variants."""
    scripts = [parse_script(read_text(path), str(path)).commands for path in sorted(find_scripts(cases))[::13]]
    texts = ["\n".join(command.sql for command in commands[:size]) for commands in scripts if len(commands) >= size]
    corpus = Corpus.open(cases, None)[0]
    figures: Figures = {"queries": len(texts)}
    for name, advise in (("plain", False), ("with advice", True)):
        search = Search(corpus)
        found: list[float] = []
        for number, text in enumerate(texts):
            begin = time.process_time()
            list(search.look_up(search.read(text, f"new/{number}.sql"), advise=advise))
            found.append(1000 * (time.process_time() - begin))
        found.sort()
        middle, late = found[len(found) // 2], found[len(found) * 9 // 10]
        figures[name] = {"median_ms": round(middle, 1), "mean_ms": round(sum(found) / len(found), 1)}
        figures[name]["p90_ms"] = round(late, 1)
    return figures


def growth(cases: Path, copies: int, step: int) -> Figures:
    """How many times as long ``copies`` times every ``step``-th script takes, each copy with tables of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        for number in range(copies):
            for path in sorted(find_scripts(cases))[::step]:
                for tree in ("one", "many") if number == 0 else ("many",):
                    target = room / tree / str(number) / path.relative_to(cases)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(_renamed(read_text(path), number), encoding="utf-8", errors="surrogateescape")
        once = min(_processor_seconds(_index_command(room / "one", room / f"one{number}.db")) for number in range(2))
        often = _processor_seconds(_index_command(room / "many", room / "many.db"))
    return {"copies": copies, "every": step, "seconds": round(often, 1), "ratio": round(often / once, 2)}


def _renamed(text: str, number: int) -> str:
    names = set(re.findall(r"create\s+table\s+(?:if\s+not\s+exists\s+)?`?(\w+)", text, re.IGNORECASE))
    if not names:
        return text
    return re.sub(rf"\b({'|'.join(map(re.escape, names))})\b", rf"\1_{number}", text)


def covered(cases: Path) -> Figures:
    """Which different statements of the corpus the dialect reads, by family; and which sqlglot was used."""
    from sqlglot import tokenizer_core

    from orchestrator.cases.sql.coverage import coverage

    texts = {
        command.sql for path in find_scripts(cases) for command in parse_script(read_text(path), str(path)).commands
    }
    found = coverage(texts)
    total, read = sum(one.total for one in found), sum(one.read for one in found)
    compiled = not str(tokenizer_core.__file__).endswith(".py")
    families = {one.family: [one.read, one.total] for one in found}
    sort = f"{version('sqlglot')}, {'compiled' if compiled else 'pure Python'}"
    return {"sqlglot": sort, "read": read, "total": total, "share": round(read / total, 4), "families": families}


def _words(figures: Figures) -> Iterator[str]:
    if "accuracy" in figures:
        yield from _accuracy_words(figures["accuracy"])
    if "speed" in figures:
        timed = figures["speed"]
        yield f"\nreference 1 over the corpus: {timed['seconds']['reference']:.2f} s"
        for name, limit in (("cold", 3.5), ("unchanged", 0.10), ("five files", 0.30)):
            yield f"{name:12}{timed['seconds'][name]:7.3f} s  {timed['ratios'][name]:6.3f} x  (at most {limit} x)"
        yield f"{'index':12}{timed['index_mb']:7.1f} MB           (at most 12 MB)"
    for part in ("query", "growth"):
        if part in figures:
            yield f"\n{part}: {figures[part]}"
    if "coverage" in figures:
        found = figures["coverage"]
        yield f"\ndialect ({found['sqlglot']}): {found['read']} of {found['total']} read ({found['share']:.2%})"
        for family, (read, total) in found["families"].items():
            yield f"    {family:20}{read:7} of {total:7}  {read / total:.2%}"


def _accuracy_words(figures: Figures) -> Iterator[str]:
    yield f"{figures['pairs']} pairs of {figures['file']}\n{'':14}precision  recall     F1"
    for name, one in figures["judges"].items():
        yield f"{name:14}{one['precision']:9.4f}  {one['recall']:6.4f}  {one['f1']:.4f}"
    yield f"\n{'right answers by kind':34}{'pairs':>6}" + "".join(f"{name:>13}" for name in figures["judges"])
    for kind, counts in sorted(figures["kinds"].items(), reverse=True):
        shares = "".join(f"{counts[name] / counts['pairs']:13.3f}" for name in figures["judges"])
        yield f"{kind:34}{counts['pairs']:6}{shares}"


PARTS = ("accuracy", "speed", "query", "growth", "coverage")


def measure(args: argparse.Namespace, parts: Iterable[str]) -> Figures:
    """The figures of ``parts``. Raises MissingError where an input is not here."""
    figures: Figures = {}
    for part in parts:
        if part == "accuracy":
            figures[part] = accuracy(args.pairs or Path(shared("dedup", "eval_dev.jsonl.gz")))
            continue
        cases = args.cases or Path(environment("MO_CASES"))
        if part == "speed":
            figures[part] = speed(cases, args.rounds)
        elif part == "query":
            figures[part] = query(cases)
        elif part == "growth":
            figures[part] = growth(cases, args.copies, args.step)
        else:
            figures[part] = covered(cases)
    return figures


def main(arguments: Iterable[str] | None = None) -> int:
    """Print what was asked for; 2 when an input is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), help="what to measure, by default everything")
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed")
    parser.add_argument("--copies", type=int, default=10, help="how many times the corpus growth is measured with")
    parser.add_argument("--step", type=int, default=1, help="measure growth with every so manieth script")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    args = parser.parse_args(list(arguments) if arguments is not None else None)
    parts = args.parts.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"--parts are some of {', '.join(PARTS)}")
    try:
        figures = measure(args, parts)
    except MissingError as error:
        print(f"dedup: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures) if args.format == "json" else "\n".join(_words(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
