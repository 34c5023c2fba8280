"""De-duplication: how right it is on labelled pairs and how fast on a corpus, beside two simple ways.

    python benchmarks/dedup.py [--pairs FILE.jsonl[.gz]] [--cases DIR] [--growth] [--coverage]

Pairs are those of ``--pairs``, else of ``dedup/eval_dev.jsonl.gz`` in the folder MO_TESTPLAN_SHARED; the corpus is
``--cases``, else MO_CASES. Figures of speed are ratios to reference 1 as a Go program (dedup_reference), whole
processes one after the other in the same run, the best of each.

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
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started as a file: the project is one directory up
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from orchestrator.cases.corpus import Corpus
from orchestrator.cases.dedup import compare_texts
from orchestrator.cases.dedup_search import Search
from orchestrator.cases.discover import find_scripts, read_text
from orchestrator.cases.script import parse_script

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


def accuracy(file: Path) -> None:
    """Print precision, recall and F1, and who is right how often by kind of pair."""
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    pairs = [json.loads(line) for line in content.decode().splitlines() if line]
    judges: dict[str, Judge] = {"ours": ours, "reference 1": reference_1, "reference 2": reference_2}
    right: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    print(f"{len(pairs)} pairs of {file.name}\n{'':14}precision  recall     F1")
    for name, judge in judges.items():
        counts: dict[tuple[bool, bool], int] = defaultdict(int)
        for pair in pairs:
            label, answer = bool(pair["label"]), judge(pair)
            counts[label, answer] += 1
            kind = ("same: " if label else "different: ") + pair.get("kind", "")
            right[kind, pair.get("unit", "")][name] += label == answer
            right[kind, pair.get("unit", "")]["pairs"] += name == "ours"
        found = counts[True, True]
        precision = found / max(1, found + counts[False, True])
        recall = found / max(1, found + counts[True, False])
        print(f"{name:14}{precision:9.4f}  {recall:6.4f}  {2 * precision * recall / max(1e-9, precision + recall):.4f}")
    print(f"\n{'right answers by kind':34}{'pairs':>6}" + "".join(f"{name:>13}" for name in judges))
    for (kind, unit), counts_ in sorted(right.items(), reverse=True):
        shares = "".join(f"{counts_[name] / counts_['pairs']:13.3f}" for name in judges)
        print(f"{kind + ', ' + unit:34}{counts_['pairs']:6}{shares}")


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def _index_command(tree: Path, index: Path) -> list[str]:
    return [sys.executable, "-m", "orchestrator.cli.main", "cases", "index", str(tree), "--index", str(index)]


def speed(cases: Path, rounds: int) -> None:
    """Print the ratios to reference 1, and what a query takes."""
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        program, tree, index = room / "reference", room / "cases", room / "index.db"
        subprocess.run(["go", "build", "-o", program, "."], cwd=Path(__file__).parent / "dedup_reference", check=True)
        shutil.copytree(cases, tree)
        _age(tree)
        environment = os.environ | {"GOMAXPROCS": "1", "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
        five = sorted(find_scripts(tree))[:: max(1, len(list(find_scripts(tree))) // 5)][:5]
        times: dict[str, list[float]] = defaultdict(list)
        for number in range(rounds):
            times["reference"].append(_seconds([str(program), str(tree)], environment))
            index.unlink(missing_ok=True)
            times["cold index"].append(_seconds(_index_command(tree, index), environment))
            times["nothing changed"].append(_seconds(_index_command(tree, index), environment))
            for path in five:
                path.write_bytes(path.read_bytes() + f"select {number} + 40;\n".encode())
            times["five files changed"].append(_seconds(_index_command(tree, index), environment))
        best = {name: min(found) for name, found in times.items()}
        print(f"\nreference 1 over the corpus: {best['reference']:.2f} s")
        for name, limit in (("cold index", 3.5), ("nothing changed", 0.10), ("five files changed", 0.30)):
            print(f"{name:20}{best[name]:7.3f} s  {best[name] / best['reference']:6.3f} x  (at most {limit} x)")
        print(f"{'index':20}{index.stat().st_size / 1e6:7.1f} MB            (at most 12 MB)")
        query(tree, index)


def _age(tree: Path) -> None:
    """Let the files be old, as those of a corpus are."""
    for path in find_scripts(tree):
        os.utime(path, (1_600_000_000, 1_600_000_000))


def query(tree: Path, index: Path, size: int = 20) -> None:
    """Print the middle and the 90th percentile of what it takes to look up scripts of ``size`` statements."""
    scripts = [parse_script(read_text(path), str(path)).commands for path in sorted(find_scripts(tree))[::13]]
    texts = ["\n".join(command.sql for command in commands[:size]) for commands in scripts if len(commands) >= size]
    for words, advise in (("(at most 8 ms)", False), ("with advice on variants", True)):
        search = Search(Corpus.open(tree, index)[0])
        found: list[float] = []
        for number, text in enumerate(texts):
            begin = time.perf_counter()
            list(search.look_up(search.read(text, f"new/{number}.sql"), advise=advise))
            found.append(1000 * (time.perf_counter() - begin))
        found.sort()
        middle, late = found[len(found) // 2], found[len(found) * 9 // 10]
        print(f"query of {size} statements: middle {middle:.1f} ms, 90 % {late:.1f} ms of {len(found)}  {words}")


def growth(cases: Path, copies: int = 10) -> None:
    """Print how many times as long ``copies`` times the corpus takes, each copy with tables of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
        once = _seconds(_index_command(cases, room / "one.db"), environment)
        for number in range(copies):
            for path in find_scripts(cases):
                target = room / "cases" / str(number) / path.relative_to(cases)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(_renamed(read_text(path), number), encoding="utf-8")
        often = _seconds(_index_command(room / "cases", room / "many.db"), environment)
        print(f"\n{copies} x the corpus: {often:.1f} s, {often / once:.1f} x the time of one  (at most 12 x)")


def _renamed(text: str, number: int) -> str:
    names = set(re.findall(r"create\s+table\s+(?:if\s+not\s+exists\s+)?`?(\w+)", text, re.IGNORECASE))
    if not names:
        return text
    return re.sub(rf"\b({'|'.join(map(re.escape, names))})\b", rf"\1_{number}", text)


def covered(cases: Path) -> None:
    """Print which statements of the corpus the dialect reads, by family."""
    from orchestrator.cases.sql.coverage import coverage

    texts = {
        command.sql for path in find_scripts(cases) for command in parse_script(read_text(path), str(path)).commands
    }
    found = coverage(texts)
    total, read = sum(one.total for one in found), sum(one.read for one in found)
    print(f"\ndialect: {read} of {total} different statements read ({read / total:.2%}), {len(found)} families")
    for one in found:
        if one.read < one.total:
            print(f"    {one.family:20}{one.read:7} of {one.total:7}  {one.share:.2%}")


def main(arguments: Iterable[str] | None = None) -> None:
    """Print what can be measured here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = os.environ.get("MO_TESTPLAN_SHARED")
    parser.add_argument("--pairs", type=Path, default=Path(shared, "dedup/eval_dev.jsonl.gz") if shared else None)
    parser.add_argument("--cases", type=Path, default=os.environ.get("MO_CASES"))
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed")
    parser.add_argument("--growth", action="store_true", help="index ten times the corpus, too")
    parser.add_argument("--coverage", action="store_true", help="parse the whole corpus, too")
    args = parser.parse_args(list(arguments) if arguments is not None else None)
    if args.pairs is None and args.cases is None:
        parser.error("nothing to measure: name --pairs or --cases, or set MO_TESTPLAN_SHARED or MO_CASES")
    if args.pairs is not None:
        accuracy(args.pairs)
    if args.cases is not None:
        cases = Path(args.cases)
        speed(cases, args.rounds)
        if args.coverage:
            covered(cases)
        if args.growth:
            growth(cases)


if __name__ == "__main__":
    main()
