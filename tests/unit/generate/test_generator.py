import re
from dataclasses import replace

import pytest

from orchestrator.cases.dedup_search import Search
from orchestrator.cases.script import parse_script
from orchestrator.generate.assemble import Frame, assemble, numbers_of
from orchestrator.generate.choose import Choice
from orchestrator.generate.cleanup import cleanup
from orchestrator.generate.columns import COLUMNS
from orchestrator.generate.draft import Written
from orchestrator.generate.evidence import Evidence
from orchestrator.generate.expressions import Expression
from orchestrator.generate.gates import static_gates
from orchestrator.generate.generator import Generation, _is_sql, _made, generate
from orchestrator.generate.kits import kit
from orchestrator.generate.packs import Pack
from orchestrator.generate.pipeline import Settings, make
from orchestrator.generate.report import coverage_of
from orchestrator.generate.slices import Slicer
from orchestrator.surface.model import ChangedFile, Kind, Role, SqlFunction, Surface, Target
from tests.unit.generate.factories import make_draft, make_inputs


def text_of(made: Generation) -> str:
    return "\n".join(draft.text for draft in made.drafts).lower()


def test_a_changed_function_is_called_at_its_edges() -> None:
    written = text_of(generate(make_inputs(), "1", 20))
    assert re.search(r"\bascii\(null", written)
    assert re.search(r"\bascii\(''", written) or "ascii('a')" in written


def test_a_new_function_is_called_over_its_overloads_without_any_case_of_it() -> None:
    written = text_of(generate(make_inputs(title="feat: ascii", cases={}), "1", 20))
    assert re.search(r"ascii\('abc', 2\)", written)


def test_a_function_that_reads_files_is_called_by_no_query() -> None:
    inputs = make_inputs(title="feat: load_file", cases={})
    functions = inputs.surface.functions
    surface = replace(inputs.surface, functions={**functions, "load_file": functions["ascii"]})
    made = generate(replace(inputs, surface=surface), "1", 60)
    assert made.drafts
    assert "load_file('" not in text_of(made)


@pytest.mark.parametrize(
    ("paths", "written"),
    [((), False), (("docs/ascii.md", "README.md"), False), (("README.md", "pkg/sql/plan/ascii.go"), True)],
)
def test_a_change_in_documentation_alone_gets_no_cases(paths: tuple[str, ...], written: bool) -> None:
    inputs = replace(make_inputs(), changes=tuple(ChangedFile(path, ()) for path in paths))
    made = make(inputs, Settings("7", 20, 0, "matrixone", ("*.md",)), None, lambda _: None)
    assert bool(made.files) is written
    assert any("nothing to write cases for" in warning for warning in made.report.warnings) is not written
    assert len(made.report.kinds) == 6


def test_all_files_together_stay_within_the_budget() -> None:
    for budget in (5, 20, 60):
        made = generate(make_inputs(), "1", budget)
        assert 0 < sum(len(draft.statements) for draft in made.drafts) <= budget


def test_the_same_input_gives_the_same_bytes() -> None:
    assert text_of(generate(make_inputs(), "1", 40)) == text_of(generate(make_inputs(), "1", 40))


def test_what_is_written_reads_back_statement_for_statement_and_drops_its_tables() -> None:
    made = generate(make_inputs(title="feat: snapshot restore and full outer join"), "1", 60)
    kept, _ = static_gates(made.drafts, Search(None))
    assert kept
    for draft in kept:
        commands = parse_script(draft.text, draft.path).commands
        assert [one.sql.rstrip(";") for one in commands] == [one.sql for one in draft.statements]
        assert len(re.findall(r"create table t1\b", draft.text)) == len(re.findall(r"drop table t1\b", draft.text))


def test_a_table_with_a_column_of_every_type_still_passes_the_format() -> None:
    columns = [*(one for one in COLUMNS), "int unsigned"]
    expressions = tuple(Expression(f"abs({{{one}}})", (f"call abs {at}",), (one,)) for at, one in enumerate(columns))
    choice = Choice(packs=[Pack(expressions, (), 1.0)])
    drafts = assemble(choice, {}, Frame("1", "function", {}, numbers_of(["x := 12345678"], 0)))
    assert len(static_gates(drafts, Search(None))[0]) == 1


def test_a_title_that_names_a_statement_has_it_written() -> None:
    change = ChangedFile("pkg/sql/plan/bind_replace.go", ("bindReplace",))
    assert "replace into" in text_of(generate(make_inputs(change, title="fix(replace): REPLACE VALUES"), "1", 60))


def test_a_statement_whose_tables_nobody_makes_is_never_cut_out() -> None:
    made = generate(make_inputs(title="join nowhere elsewhere"), "1", 60)
    assert "nowhere" not in re.sub("--.*", "", text_of(made))


def test_what_a_statement_needs_comes_with_it() -> None:
    script = make_inputs().library.scripts["function/ascii.sql"]
    assert Slicer(script).needs(2) == (0, 1)


def test_every_statement_of_the_kit_finds_what_it_needs() -> None:
    for path, script in kit().items():
        slicer = Slicer(script)
        missing = [one.sql for at, one in enumerate(script.statements) if not slicer.runnable(at)]
        assert not missing, f"{path}: {missing}"


def test_clean_up_drops_what_is_left_and_ends_what_is_open() -> None:
    script = make_inputs(
        cases={
            "a.sql": "create account a1 admin_name 'x' identified by 'y';\ncreate table t (a int);\n"
            "create database d1;\nuse d1;\ncreate table u (a int);\nbegin;\n"
        }
    ).library.scripts["a.sql"]
    assert cleanup(script.statements) == [
        "rollback",
        "drop table if exists t",
        "drop account if exists a1",
        "drop database if exists d1",
    ]


def test_clean_up_switches_autocommit_on_again_before_it_drops() -> None:
    sql = "set autocommit = 0;\ncreate table w (a int);\n"
    script = make_inputs(cases={"a.sql": sql}).library.scripts["a.sql"]
    assert cleanup(script.statements) == ["set autocommit = 1", "drop table if exists w"]
    again = make_inputs(cases={"a.sql": f"{sql}set autocommit = 1;\n"}).library.scripts["a.sql"]
    assert cleanup(again.statements) == ["drop table if exists w"]


def test_clean_up_drops_what_stands_behind_a_comment_for_some_servers() -> None:
    sql = "create database /*!32312 if not exists*/ d1 /*!40100 default character set utf8mb4 */;\n"
    script = make_inputs(cases={"a.sql": sql}).library.scripts["a.sql"]
    assert cleanup(script.statements) == ["drop database if exists d1"]
    gone = "create table w (a int);\n/*!40101 set autocommit = 0 */;\n/*!40000 drop table w */;\n"
    script = make_inputs(cases={"a.sql": gone}).library.scripts["a.sql"]
    assert cleanup(script.statements) == ["set autocommit = 1"]


def test_clean_up_sets_back_what_was_set_after_the_drops_that_may_need_it() -> None:
    sql = "set experimental_hnsw_index = 1;\nset @x = 2, @y = 0;\ncreate table w (a int);\n"
    script = make_inputs(cases={"a.sql": sql}).library.scripts["a.sql"]
    assert cleanup(script.statements) == [
        "drop table if exists w",
        "set experimental_hnsw_index = default",
        "set @x = null, @y = null",
    ]


def test_a_setting_that_is_tried_is_set_back_within_the_budget() -> None:
    cases = {"a.sql": "set probe_limit = 7;\nselect @@probe_limit;\n", "b.sql": "select 1;\n"}
    made = generate(make_inputs(title="fix: probe_limit of vectors", cases=cases), "1", 12)
    assert re.search(r"set probe_limit = 7;\n(?:.*\n)*set probe_limit = default;\n\Z", made.drafts[-1].text)
    assert sum(len(draft.statements) for draft in made.drafts) <= 12


def test_what_only_the_clean_up_says_is_not_reported_as_covered() -> None:
    inputs = make_inputs()
    made = Generation((), Evidence({"statement drop table": 0.9}, {"statement drop table": "said"}), {}, frozenset())
    draft = make_draft("create table t (a int)")
    dropped = replace(draft, statements=(*draft.statements, Written("drop table t", cleanup=True)))
    assert [one.after for one in coverage_of(inputs, made, [dropped])] == [False]
    assert [one.after for one in coverage_of(inputs, made, [make_draft("drop table t")])] == [True]


def test_a_function_in_from_that_no_case_calls_is_called_there() -> None:
    surface = Surface(functions={"numbers_of": SqlFunction("numbers_of", Role.TABLE, (), ("numbers_of",))})
    target = Target(0, Kind.FUNCTION, "numbers_of", "table_function.go names the function")
    inputs = replace(make_inputs(cases={}), surface=surface, targets=(target,))
    assert re.search(r"from numbers_of\(1, 5", text_of(generate(inputs, "1", 20)))


def test_what_a_unit_test_of_the_change_says_is_written() -> None:
    change = ChangedFile("pkg/sql/parsers/mysql_sql_test.go", (), ('input: "purge files from stage if exists",',))
    sql = ChangedFile("pkg/sql/parsers/sql_test.go", (), ("input: \"show upgraded versions like 'a%'\",",))
    assert "show upgraded versions like 'a%'" in text_of(generate(make_inputs(change, sql, cases={}), "1", 20))


def test_a_near_case_is_varied_in_the_dimension_that_the_title_names() -> None:
    cases = {
        "union/union.sql": "create table u (a int);\nselect a from u union select a from u order by 1;\n",
        "b.sql": "select 1;\n",
    }
    change = ChangedFile("pkg/sql/plan/query_builder.go", ("buildUnion",))
    made = generate(make_inputs(change, title="fix: EXCEPT ALL of unions", cases=cases), "1", 60)
    assert "except all select a from u" in text_of(made)


def test_queries_by_the_way_never_wait_and_never_touch_the_server() -> None:
    calls = "select sleep(2), add_fault_point('a', ':::', 'echo', 0, ''), abs(1);\n"
    written = text_of(generate(make_inputs(title="sleep add_fault_point abs", cases={"a.sql": calls}), "1", 60))
    assert not re.search(r"select.*(?:sleep\(2|fault_point)", written)


def test_a_table_that_refers_to_another_is_dropped_before_it() -> None:
    cases = {
        "a.sql": "create table p (a int primary key);\ncreate table q (b int);\n"
        "create table c (a int, foreign key (a) references p (a));\n"
    }
    script = make_inputs(cases=cases).library.scripts["a.sql"]
    assert cleanup(script.statements) == ["drop table if exists c", "drop table if exists q, p"]


def test_an_error_that_a_unit_test_expects_is_no_statement() -> None:
    change = ChangedFile("pkg/sql/plan/build_test.go", (), ('err: "show tables is not supported here",',))
    assert "show tables is" not in text_of(generate(make_inputs(change, cases={}), "1", 20))


def test_a_prepared_text_brings_its_tables_along() -> None:
    cases = {"a.sql": "create table p (a int);\nselect 1;\nprepare s from 'select a from p where a = ?';\n"}
    script = make_inputs(cases=cases).library.scripts["a.sql"]
    assert Slicer(script).needs(2) == (0,)
    alone = make_inputs(cases={"a.sql": "prepare s from 'select a from p where a = ?';\n"}).library.scripts["a.sql"]
    assert not Slicer(alone).runnable(0)


def test_what_a_text_points_at_comes_along_and_so_does_what_a_session_allows() -> None:
    cases = {
        "a.sql": "create stage st url = 'file:///tmp/';\ncreate database d1;\ncreate table d1.t (a int);\n"
        "select load_file(cast('stage://st/x' as datalink));\nselect * from metadata_scan('d1.t', '*') m;\n",
        "b.sql": "set experimental_hnsw_index = 1;\nselect 1;\ncreate table v (a int, b vecf32(3));\n"
        "create index i using hnsw on v (b) op_type 'vector_l2_ops';\n",
    }
    scripts = make_inputs(cases=cases).library.scripts
    assert Slicer(scripts["a.sql"]).needs(3) == (0,)
    assert Slicer(scripts["a.sql"]).needs(4) == (1, 2)
    assert Slicer(scripts["b.sql"]).needs(3) == (0, 2)


def test_a_statement_that_names_the_database_of_its_script_names_that_of_its_new_file() -> None:
    cases = {"function/scan.sql": "create table t (a int);\nselect * from metadata_scan('scan.t', 'a') m;\n"}
    scripts = make_inputs(cases=cases).library.scripts
    choice = Choice(slices={"function/scan.sql": {0, 1}})
    draft = assemble(choice, scripts, Frame("1", "function", {}, ()))[0]
    database = draft.path.rpartition("/")[2].removesuffix(".test")
    assert f"metadata_scan('{database}.t', 'a')" in draft.text
    system = "system/information_schema.sql"
    scripts = make_inputs(cases={system: "select 1 from information_schema.tables;\n"}).library.scripts
    draft = assemble(Choice(slices={system: {0}}), scripts, Frame("1", "function", {}, ()))[0]
    assert "from information_schema.tables" in draft.text


def test_no_query_calls_what_only_its_own_script_defines() -> None:
    cases = {
        "function/udf.sql": "create function addab (a int, b int) returns int language sql as '$1 + $2';\n"
        "select addab(1, 2), ascii('z');\ndrop function addab(int, int);\n"
    }
    written = text_of(generate(make_inputs(cases=cases), "1", 20))
    assert not re.search(r"select[^;]*addab", written.split("create function")[0])


def test_a_name_that_a_unit_test_has_is_no_statement() -> None:
    heads = {("drop", "pitr")}
    assert _is_sql(["drop", "pitr", "p1"], heads)
    assert not _is_sql(["drop", "pitr", "-", "no", "such", "pitr"], heads)


def test_a_function_that_cases_call_without_arguments_is_called_with_none_by_guess() -> None:
    surface = Surface(functions={"rank": SqlFunction("rank", Role.WINDOW, ()), "schema": SqlFunction("schema")})
    cases = {"a.sql": "create table t (a int);\nselect schema(), rank() over (order by a) from t;\n"}
    inputs = replace(make_inputs(cases=cases), surface=surface)
    likely = Evidence({"call rank": 0.9, "call schema": 0.9}, {})
    assert not [one.text for one in _made(inputs, likely) if one.text.startswith(("rank(", "schema("))]


def test_a_change_of_execution_is_looked_at_in_explain_analyze() -> None:
    change = ChangedFile("pkg/sql/colexec/hashjoin/join.go", ("probe",))
    assert "explain analyze select" in text_of(generate(make_inputs(change, title="fix: probe"), "1", 60))
    other = ChangedFile("pkg/sql/plan/function/func_unary.go", ("AsciiString",))
    odds = generate(make_inputs(other), "1", 20).evidence.odds
    assert odds.get("statement explain analyze", 0.0) < 0.1
