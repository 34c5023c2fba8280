from orchestrator.generate.library import read_script

TEXT = "create table t (a int);\nselect abs(a), ceil(1) from t;\nselect abs('x');\nselect floor(2);\n"
RESULT = (
    "create table t (a int);\nselect abs(a), ceil(1) from t;\nabs(a)    ceil(1)\n"
    "select abs('x');\ninvalid argument cast to double, bad value x\nselect floor(2);\nfloor(2)\n2\n"
)


def test_nothing_is_cut_out_of_a_statement_that_is_to_fail() -> None:
    script = read_script(TEXT, RESULT)
    assert [one.fails for one in script.statements] == [False, False, True, False]
    texts = {one.text for one in script.expressions}
    assert "ceil(1)" in texts
    assert "floor(2)" in texts
    assert "abs('x')" not in texts


def test_without_a_result_that_fits_nothing_is_known_to_fail() -> None:
    for result in (None, "select other;\n"):
        assert "abs('x')" in {one.text for one in read_script(TEXT, result).expressions}


def test_a_clause_is_no_call_and_a_column_called_min_is_no_function() -> None:
    text = "create table t (a int);\nselect serial_extract(min, 0 as int), abs(a) from t fill(linear);\n"
    assert {one.text for one in read_script(text).expressions} == {"abs({int})"}
