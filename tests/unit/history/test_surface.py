from __future__ import annotations

import json
import subprocess
from pathlib import Path

from orchestrator.diff.git import Objects, find_git, isolated, resolve
from orchestrator.domain.change import FileLines
from orchestrator.history.casebook import Casebook
from orchestrator.history.code import Code, CodeReader
from orchestrator.history.commits import Entry
from orchestrator.history.facts import make_facts
from orchestrator.history.layout import layout_of
from orchestrator.history.packing import pack_reach, unpack_reach
from orchestrator.history.question import Question
from orchestrator.history.spoken import SpokenOf
from orchestrator.history.study import question_of
from orchestrator.history.surface import surface_signals
from orchestrator.surface.reach import Reach, Reached
from tests.unit.history.product import PROFILE
from tests.unit.surface.product import FILES

REACH = Reach(
    functions={
        "pkg/f:aesEncrypt": (Reached(0, "function", "aes_encrypt", "aesEncrypt"),),
        "pkg/f:pad": (Reached(1, "function", "aes_encrypt", "aesEncrypt"),),
    },
    symbols={"ErrNoSuchTable": (("error", "ErrNoSuchTable"),)},
    errors={"ErrNoSuchTable": "no such table %s.%s"},
)
TEXTS = {
    "a": b"select aes_encrypt('x');",
    "b": b"select upper('x');",
    "c": b"drop table t1;",
    "ar": b"aes_encrypt('x')",
    "br": b"upper('x')",
    "cr": b"no such table db1.t1",
}


def entry(status: str, path: str, blob: str) -> Entry:
    return Entry(status, blob if status == "D" else "0", "0" if status == "D" else blob, f"test/cases/{path}")


def book_of(*entries: Entry) -> Casebook:
    book = Casebook()
    book.apply(entries, layout_of(PROFILE), 0, TEXTS.get)
    return book


def book() -> Casebook:
    names = {"function/aes": "a", "function/upper": "b", "ddl/drop": "c"}
    scripts = [entry("A", f"{stem}.sql", blob) for stem, blob in names.items()]
    return book_of(*scripts, *(entry("A", f"{stem}.result", f"{blob}r") for stem, blob in names.items()))


def asked(functions: tuple[str, ...] = (), line: str = "") -> Question:
    facts = make_facts(["pkg/f/f.go"], {"pkg/f/f.go": FileLines(added=[line.encode()])}, functions)
    return question_of(PROFILE, facts, 0, Code({}, REACH))


def test_a_case_that_says_what_the_change_implements_is_found_and_a_call_weighs_less() -> None:
    cases = book()
    own = surface_signals(cases, asked(("pkg/f:aesEncrypt",)).reached)
    called = surface_signals(cases, asked(("pkg/f:pad",)).reached)
    aes = cases.numbers["function/aes"]
    assert set(own["surface_own"]) == {aes}
    assert (set(called["surface_calls"]), called["surface_own"]) == ({aes}, {})
    assert own["surface_calls"][aes] > called["surface_calls"][aes] > 0


def test_an_error_that_the_change_names_finds_the_result_that_holds_its_message() -> None:
    cases = book()
    question = asked(line="	return moerr.New(ErrNoSuchTable)")
    drop = cases.numbers["ddl/drop"]
    assert set(surface_signals(cases, question.reached)["surface_errors"]) == {drop}
    said = SpokenOf(question.reached, cases)
    assert said.of(drop) == "its result holds the message of ErrNoSuchTable, which the change names"
    assert said.of(cases.numbers["function/upper"]) == ""


def test_a_line_that_only_moved_names_nothing() -> None:
    line = b"	return moerr.New(ErrNoSuchTable)"
    facts = make_facts(["pkg/f/f.go"], {"pkg/f/f.go": FileLines(deleted=[line], added=[b"	" + line])})
    assert facts.symbols == ()


def test_what_sql_says_of_a_change_is_told_with_the_function_it_goes_through() -> None:
    cases = book()
    said = SpokenOf(asked(("pkg/f:pad",)).reached, cases)
    told = said.of(cases.numbers["function/aes"])
    assert told == "its script says AES_ENCRYPT, which reaches the change through aesEncrypt"


def test_a_case_that_moves_keeps_its_past() -> None:
    cases = book()
    number, born = cases.numbers["function/aes"], cases.born[cases.numbers["function/aes"]]
    moved = [entry("D", "function/aes.sql", "a"), entry("A", "crypto/cipher.sql", "a")]
    named = [entry("D", "ddl/drop.sql", "c"), entry("A", "table/drop.sql", "b")]
    drop = cases.numbers["ddl/drop"]
    cases.apply([*moved, *named], layout_of(PROFILE), 99, TEXTS.get)
    assert (cases.numbers["crypto/cipher"], cases.stems[number], cases.born[number]) == (number, "crypto/cipher", born)
    assert cases.numbers["table/drop"] == drop
    assert sorted(cases.stems.values()) == ["crypto/cipher", "function/upper", "table/drop"]
    assert sorted(cases.numbers.values()) == list(range(len(cases.numbers)))


def test_a_case_that_comes_while_its_namesake_stays_is_a_new_one() -> None:
    cases = book()
    cases.apply([entry("A", "crypto/aes.sql", "a")], layout_of(PROFILE), 99, TEXTS.get)
    assert cases.numbers["crypto/aes"] == 3
    assert cases.stems[cases.numbers["function/aes"]] == "function/aes"


def test_the_code_of_a_revision_is_read_with_what_sql_reaches_it(tmp_path: Path) -> None:
    feed = "commit refs/heads/main\ncommitter T <t@example.com> 1 +0000\ndata 1\nx\n"
    feed += "".join(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n" for path, text in FILES.items())
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path)], check=True)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=tmp_path, input=feed.encode(), check=True)
    found = find_git(tmp_path)
    head = resolve(found, "main", "main").head
    with isolated(found, head) as git, Objects(git) as objects:
        code = CodeReader(git, objects, "matrixone")(head)
        nothing = CodeReader(git, objects, "none")(head)
    (ascii_,) = (one for one in code.reach.of((), ["pkg/sql/plan/function:firstByte"], ()) if one.name == "ascii")
    assert (ascii_.distance, ascii_.by) == (1, "AsciiString")
    assert nothing.reach == Reach()
    assert unpack_reach(json.loads(json.dumps(pack_reach(code.reach)))) == code.reach
