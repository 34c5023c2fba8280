from orchestrator.generate.aspects import DENSE
from orchestrator.generate.assemble import Frame, assemble, numbers_of
from orchestrator.generate.choose import Choice
from orchestrator.generate.grouping import regrouped
from orchestrator.generate.packs import WIDEST, Manner, Pack, Packer, is_readable, manner_of
from orchestrator.generate.synthesis import made
from orchestrator.surface.model import Role, SqlFunction, Surface

ABS, NULL, CEIL, DISTANCE = map(made, ("abs({int})", "abs(null)", "ceil({int})", "l2_distance({vecf32}, '[1,2,3]')"))
VALUES = {"call abs": 3.0, "call ceil": 1.0, "call l2_distance": 2.0}


def pack(*expressions: object, own: bool = False) -> Pack:
    return Pack(expressions, (), 1.0, Manner.PLAIN, own)  # type: ignore[arg-type]


def test_what_is_about_one_function_stands_together_and_is_named() -> None:
    groups = regrouped([pack(ABS, CEIL), pack(NULL)], VALUES)
    assert [one.text for one in groups[0].expressions] == ["abs({int})", "abs(null)", "ceil({int})"]
    assert groups[0].named == "abs, ceil"


def test_no_query_takes_more_than_a_person_can_follow() -> None:
    many = [made(f"f{number}({number})") for number in range(12)]
    groups = regrouped([pack(*many), pack(), pack()], {})
    assert len(groups) == 3
    assert max(len(one.expressions) for one in groups) <= 6
    assert all(len(one.aspects) < DENSE for one in groups)


def test_types_of_the_product_alone_get_a_file_of_their_own() -> None:
    choice = Choice(packs=[pack(ABS, CEIL), pack(DISTANCE, own=True)])
    drafts = assemble(choice, {}, Frame("1", "function", {}, numbers_of([], 0), VALUES))
    assert [("vecf32" in one.text, "c_int" in one.text) for one in drafts] == [(False, True), (True, False)]
    assert "-- abs, ceil" in drafts[0].text


def test_an_aggregate_beside_a_window_stands_in_no_list() -> None:
    surface = Surface(functions={"rank": SqlFunction("rank", Role.WINDOW), "sum": SqlFunction("sum", Role.AGGREGATE)})
    assert manner_of(made("rank() over (order by {int})"), surface) is Manner.WINDOW
    assert manner_of(made("sum({int})"), surface) is Manner.AGGREGATE
    assert manner_of(made("sum({int}) + rank() over (order by {int})"), surface) is None


def test_what_our_dialect_cannot_read_is_left_out() -> None:
    assert is_readable("abs({int}) + 1")
    assert not is_readable("abs({int}) +")


def test_the_worthiest_expression_of_a_query_comes_first() -> None:
    worth = {"call abs": 1.0, "call abs 1 null": 5.0}
    grouped = regrouped([pack(ABS, NULL)], worth)
    assert [one.text for one in grouped[0].expressions] == ["abs(null)", "abs({int})"]


def test_a_pack_takes_no_more_expressions_than_one_query_holds() -> None:
    many = [made(f"@@v{number}") for number in range(12)]
    best = Packer(many, {f"variable v{number}": 1.0 for number in range(12)}, Surface(), 0.1).best(frozenset(), 0.0)
    assert best is not None
    assert len(best.expressions) == WIDEST


def test_a_window_function_without_its_window_and_a_function_in_from_stand_in_no_list() -> None:
    surface = Surface(functions={"lag": SqlFunction("lag", Role.WINDOW), "scan": SqlFunction("scan", Role.TABLE)})
    assert manner_of(made("lag({int})"), surface) is None
    assert manner_of(made("lag({int}) over (order by {int})"), surface) is Manner.WINDOW
    assert manner_of(made("scan('a')"), surface) is None
