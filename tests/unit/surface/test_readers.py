from importlib.metadata import EntryPoint

import pytest

from orchestrator.domain.errors import BadProfileError
from orchestrator.settings import load_profile, settings_from
from orchestrator.surface import readers
from orchestrator.surface.matrixone.reader import MatrixOneReader
from orchestrator.surface.reader import Surfaces
from orchestrator.surface.readers import NoReader, reader_named
from tests.unit.surface.product import FILES, FileTree


def test_the_profile_names_the_reader() -> None:
    assert isinstance(reader_named(load_profile("matrixone", settings_from()).bvt.surface), MatrixOneReader)
    assert isinstance(reader_named(load_profile("demo", settings_from()).bvt.surface), NoReader)


def test_without_a_reader_the_surface_is_empty() -> None:
    surface = Surfaces(reader_named("none")).at(FileTree(FILES))
    assert not surface.functions
    assert not surface.statements


def test_an_installed_package_offers_a_reader_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = EntryPoint("other", f"{NoReader.__module__}:{NoReader.__name__}", readers.GROUP)
    broken = EntryPoint("broken", "no_such_package:Reader", readers.GROUP)
    monkeypatch.setattr(readers, "entry_points", lambda group: [offered, broken] if group == readers.GROUP else [])
    assert isinstance(reader_named("other"), NoReader)
    with pytest.raises(BadProfileError, match="'broken' cannot be loaded"):
        reader_named("broken")
    with pytest.raises(BadProfileError, match="no reader 'nowhere'"):
        reader_named("nowhere")
