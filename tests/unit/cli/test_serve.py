"""What `serve` says of the secrets that it was given."""

from __future__ import annotations

import pytest

from orchestrator.cli.serve import passed_over
from orchestrator.domain.profile import GitHub, Profile, WeCom, WeComApp, WeComBot

WHOLE = Profile(
    name="shop",
    github=GitHub(repository="acme/shop"),
    wecom=WeCom(app=WeComApp(corp_id="ww1"), bot=WeComBot(id="b1")),
)
SECRETS = ("GITHUB_WEBHOOK_SECRET", "WECOM_APP_AES_KEY", "WECOM_BOT_AES_KEY")
CREDENTIALS = ("GITHUB_TOKEN", "WECOM_APP_SECRET", "WECOM_BOT_TOKEN")


def test_an_address_that_is_not_served_although_there_is_a_secret_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRETS, *CREDENTIALS):
        monkeypatch.delenv(f"MO_TESTPLAN_{name}", raising=False)
    assert list(passed_over(WHOLE)) == []
    for name in SECRETS:
        monkeypatch.setenv(f"MO_TESTPLAN_{name}", "secret")
    said = list(passed_over(WHOLE))
    assert [words.partition(" ")[0] for words in said] == ["/github/webhook", "/wecom/app", "/wecom/bot"]
    assert [f"MO_TESTPLAN_{name}" in words for name, words in zip(CREDENTIALS, said, strict=True)] == [True] * 3
    for name in CREDENTIALS:
        monkeypatch.setenv(f"MO_TESTPLAN_{name}", "secret")
    assert list(passed_over(WHOLE)) == []
    assert len(list(passed_over(Profile(name="shop")))) == 3
