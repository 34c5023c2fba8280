"""The example shop is what its README says it is."""

from __future__ import annotations

from pathlib import Path

from orchestrator.cases.expectation import Column, Expectation, ResultSet, split_expectations
from orchestrator.cases.script import parse_script
from orchestrator.cli.demo.sample import EXAMPLE, SampleRepository
from workers.bvt.compare import Outcome, VerdictKind, compare
from workers.bvt.strict import strict_differences

BIGINT = -5


def test_every_script_and_its_results_fit_before_and_after_the_pull_request(tmp_path: Path) -> None:
    sample = SampleRepository(tmp_path / "shop")
    for change in (sample.create, sample.open_pull_request, sample.fix):
        change()
        scripts = sorted(sample.path.glob("cases/*/*.sql"))
        assert len(scripts) == 5
        for path in scripts:
            script = parse_script(path.read_text(encoding="utf-8"), path.name)
            expected = split_expectations(script, path.with_suffix(".result").read_text(encoding="utf-8"))
            assert len(expected) == len(script.commands) > 0


def test_the_pull_request_breaks_a_sum_that_only_the_strict_comparison_sees() -> None:
    script = parse_script((EXAMPLE / "cases/pricing/discount.sql").read_text(encoding="utf-8"), "discount.sql")
    expected = split_expectations(script, (EXAMPLE / "cases/pricing/discount.result").read_text(encoding="utf-8"))
    [(command, expectation)] = [
        (command, text) for command, text in zip(script.commands, expected, strict=True) if "sum(" in command.sql
    ]
    assert expectation == Expectation("total\n7430", expectation.line)
    broken = Outcome(result=ResultSet((Column("total", BIGINT, 64),), [["7428"]]))
    assert compare(command, script, expectation, broken, metadata=False).kind is VerdictKind.PASS
    assert strict_differences(command, script, expectation, broken, metadata=False)


def test_both_layouts_of_results_are_there() -> None:
    texts = [path.read_text(encoding="utf-8") for path in EXAMPLE.glob("cases/*/*.result")]
    assert any("➤ " in text for text in texts)
    assert any("➤ " not in text for text in texts)
