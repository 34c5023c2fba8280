from __future__ import annotations

import gc

import pytest

from orchestrator.garbage import without_collection


@without_collection()
def failing() -> None:
    assert not gc.isenabled()
    raise KeyError


def test_collection_is_off_inside_and_as_it_was_afterwards_whatever_happens() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError):
        failing()
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
