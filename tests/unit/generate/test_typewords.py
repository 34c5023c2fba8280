"""Types that a title means."""

import pytest

from orchestrator.generate.typewords import typed


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("specialized paths for Decimal64 and DECIMAL128", ["decimal", "decimal"]),
        ("fix vecf32 columns, and geometry32", ["vecf32", "geometry"]),
        ("compare VECF64s with decimals", ["vecf64", "decimal"]),
        ("support SET columns in the set of names", ["set"]),
        ("a point in time", []),
        ("INT literals, date type", ["int", "date"]),
    ],
)
def test_words_mean_types(title: str, kinds: list[str]) -> None:
    assert list(typed(title.replace(",", "").split())) == kinds
