"""Settings from the environment, profiles from files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from orchestrator.domain.errors import BadProfileError, UsageError
from orchestrator.settings import Settings, check_profile, load_profile, settings_from, to_environment


def in_folder(folder: Path, **profiles: str) -> Settings:
    for name, text in profiles.items():
        (folder / f"{name}.yaml").write_text(text)
    return dataclasses.replace(settings_from({}), config_dir=str(folder))


def test_everything_of_a_host_lies_in_its_state_directory_unless_said_otherwise(tmp_path: Path) -> None:
    config = settings_from({"MO_TESTPLAN_STATE": str(tmp_path), "MO_TESTPLAN_WORKSPACES": "/data/trees"})
    assert config.store_url == f"sqlite:///{tmp_path}/history.sqlite"
    assert config.artifacts == f"{tmp_path}/artifacts"
    assert config.workspaces == "/data/trees"


def test_a_home_is_found_where_no_shell_has_read_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/li")
    config = settings_from({"MO_TESTPLAN_ARTIFACTS": "~/logs", "MO_TESTPLAN_REPO": "~/shop.git"})
    assert (config.artifacts, config.repo) == ("/home/li/logs", "/home/li/shop.git")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///:memory:?timeout=3"])
def test_a_history_that_nobody_else_would_see_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="a history in memory"):
        settings_from({"MO_TESTPLAN_STORE_URL": url})


def test_another_process_sees_the_same_settings() -> None:
    config = settings_from({"MO_TESTPLAN_REPO": "/srv/repo"})
    assert settings_from(to_environment(config)) == config


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nmae: x", "Did you mean 'name'"),
        ("name: x\nbvt: {compair: strict}", "Did you mean 'compare'"),
        ("name: x\nbvt: {compare: sloppy}", "compat, strict, both"),
        ("name: x\nrules: {prefix: a}", "a list is needed"),
        ("name: x\nunit_tests: {timeout: soon}", "float is needed"),
        ("name: x\nunit_tests: {timeout: .nan}", r"p.yaml.unit_tests.timeout: a finite number is needed, not nan"),
        ("name: x\nbvt: {statement_timeout: -.inf}", r"bvt.statement_timeout: a finite number is needed, not -inf"),
        ("name: x\ndispatch: {attempts: 0}", r"dispatch.attempts is 0"),
        ("name: x\nunit_tests: {package_seconds: {pkg/a: .inf}}", r"package_seconds.pkg/a: a finite number"),
        ("name: x\nsca: {analysers: [{name: a, command: [a], seconds: 1.0e+999}]}", r"analysers\[0\].seconds: a f"),
        ("name: 3", "str is needed"),
        ("{}", "'name' is missing"),
        ("name: [", "is not YAML"),
        ("name: x\nbase_branch: 2027-02-30", "is not YAML: day is out of range"),
        ("name: x\nrules: [{prefix: a/}]\nrules: [{prefix: b/}]", r"the key 'rules' in line 3 stands there twice"),
        ("name: x\nbvt: {server: {dsn: a, dsn: b}}", "the key 'dsn' in line 2 stands there twice"),
        ("- a", "a mapping is needed"),
        ("name: x\nretention: {cases_days: -1}", r"retention\.cases_days is -1"),
        ("name: x\nbvt: {categories: {join: -3}}", r"categories\.join is -3"),
        ("name: de/mo", "name: 'de/mo' is no name of a profile"),
        ("name: x\nbvt: {cases: /test/cases}", "bvt.cases: no path of the tree begins with '/test/cases'"),
        ("name: x\nbvt: {cases: ./test/cases}", "bvt.cases: no path of the tree"),
        ("name: x\nbvt: {cases: ''}", "bvt.cases: no path of the tree"),
        ("name: x\nunit_tests: {command: []}", "unit_tests.command names no program"),
        ("name: x\nsca: {analysers: [{name: vet, command: []}]}", "sca.analysers.vet.command names no program"),
        ("name: x\nbvt: {timeout: 0}", "bvt.timeout is 0"),
        ("name: x\nsca: {analysers: [{name: vet, command: [vet], timeout: 0}]}", r"sca.analysers\[0\].timeout is 0"),
        ("name: x\ngithub: {run_for: [MEMBERS]}", "Did you mean 'MEMBER'"),
        ("name: x\ngithub: {roles: {Owner: maintainer}}", "'Owner' is no association"),
        ("name: x\ndispatch: {lease: 0}", "dispatch.lease is 0"),
        ("name: x\ndispatch: {labels: {vector: gpu}}", "dispatch.labels: 'vector' is no task"),
    ],
)
def test_a_wrong_profile_is_an_error_that_names_the_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadProfileError, match=says):
        load_profile("p", in_folder(tmp_path, p=text))


def test_what_an_anchor_names_may_stand_in_several_places(tmp_path: Path) -> None:
    text = "name: x\nunit_tests: {env: &e {A: '1'}}\nbuild: {env: {<<: *e, A: '2'}}\nbvt: {server: {files: *e}}"
    profile = load_profile("p", in_folder(tmp_path, p=text))
    assert (profile.unit_tests.env, profile.build.env) == ({"A": "1"}, {"A": "2"})


def test_a_missing_profile_names_the_nearest_there_is(tmp_path: Path) -> None:
    with pytest.raises(BadProfileError, match="Did you mean 'matrixone'"):
        load_profile("matrixon", in_folder(tmp_path, matrixone="name: matrixone"))


def test_a_profile_extends_another_mappings_merged_and_lists_replaced(tmp_path: Path) -> None:
    base = "name: base\ndocumentation: [a, b]\nunit_tests: {timeout: 7, env: {A: '1', B: '2'}}"
    over = "extends: base\nname: over\ndocumentation: [c]\nunit_tests: {env: {B: '3'}}"
    profile = load_profile("over", in_folder(tmp_path, base=base, over=over))
    assert (profile.name, profile.documentation, profile.unit_tests.timeout) == ("over", ("c",), 7)
    assert profile.unit_tests.env == {"A": "1", "B": "3"}


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadProfileError, match="circle"):
        load_profile("a", in_folder(tmp_path, a="extends: b\nname: a", b="extends: a\nname: b"))


def test_the_environment_chooses_server_and_repository(tmp_path: Path) -> None:
    config = in_folder(tmp_path, p="name: p")
    mariadb = load_profile("p", dataclasses.replace(config, bvt_server="mariadb", repo="/srv/repo"))
    assert (mariadb.bvt.server.provider, mariadb.repository) == ("mariadb", "/srv/repo")
    dsn = load_profile("p", dataclasses.replace(config, bvt_dsn="mysql://a@b:1"))
    assert (dsn.bvt.server.provider, dsn.bvt.server.dsn) == ("dsn", "mysql://a@b:1")
    own = in_folder(tmp_path, q="name: q\nbvt: {server: {provider: launch, command: [server], startup_timeout: 7}}")
    for provider in ("mariadb", "launch"):
        server = load_profile("q", dataclasses.replace(own, bvt_server=provider)).bvt.server
        assert (server.provider, server.startup_timeout) == (provider, 7)
    with pytest.raises(BadProfileError, match="MO_TESTPLAN_BVT_SERVER"):
        load_profile("p", dataclasses.replace(config, bvt_server="oracle"))
    with pytest.raises(BadProfileError, match="there is no command"):
        load_profile("p", dataclasses.replace(config, bvt_server="launch"))


def test_every_profile_that_ships_is_valid_in_full() -> None:
    config = settings_from({})
    names = sorted(path.stem for path in Path(config.config_dir).glob("*.yaml") if path.stem != "people")
    assert "matrixone" in names
    for name in names:
        assert check_profile(name, config).name == name
