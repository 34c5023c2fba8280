from __future__ import annotations

import threading

import pytest

from orchestrator.commands.inbox import Inbox
from orchestrator.commands.model import Incoming
from orchestrator.commands.people import people_from
from orchestrator.domain.errors import BadProfileError


@pytest.fixture
def inbox(valkey_url: str) -> Inbox:
    inbox = Inbox(valkey_url, "app")
    inbox.redis.flushall()
    return inbox


def test_a_message_is_accepted_and_taken_once(inbox: Inbox) -> None:
    incoming = Incoming("app", "1", "u", text="中 文", reply={"response_code": "secret"})
    inbox.take("w", wait=0.01)
    assert inbox.accept(incoming)
    assert not inbox.accept(incoming)
    ((entry, taken),) = inbox.take("w", wait=0.01)
    assert taken == incoming
    assert "secret" not in repr(taken)
    inbox.done(entry)
    assert inbox.waiting() == 0
    assert inbox.take("w", wait=0.01) == []


def test_the_process_that_follows_a_dead_one_goes_on_with_what_it_had(inbox: Inbox) -> None:
    assert inbox.left_over("w") == [], "there is no inbox yet"
    inbox.take("w", wait=0.01)
    for key in "12":
        inbox.accept(Incoming("app", key, "u"))
    (first, _), (second, _) = inbox.take("w", wait=0.01)
    inbox.done(first)
    assert [entry for entry, _ in inbox.left_over("w")] == [second]
    assert inbox.left_over("other") == []


def test_a_message_of_a_dead_worker_goes_to_another(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.take("w", wait=0.01)
    inbox.accept(Incoming("app", "1", "u"))
    assert len(inbox.take("one", wait=0.01)) == 1
    assert inbox.take("two", wait=0.01) == []
    monkeypatch.setattr("orchestrator.commands.inbox._STALE_MS", 0)
    assert len(inbox.take("two", wait=0.01)) == 1


def test_of_a_hundred_deliveries_at_once_one_is_accepted(inbox: Inbox) -> None:
    accepted: list[bool] = []

    def deliver() -> None:
        accepted.extend(inbox.accept(Incoming("app", "same", "u")) for _ in range(10))

    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accepted.count(True) == 1
    assert inbox.waiting() == 1


@pytest.mark.parametrize(
    "data",
    [[], {"peeple": []}, {"people": [{"userid": "a", "role": "king"}]}, {"people": [{"userid": "a"}, {"userid": "A"}]}],
)
def test_a_wrong_list_of_people_is_refused(data: object) -> None:
    with pytest.raises(BadProfileError):
        people_from(data, "people.yaml")


def test_no_list_is_nobody() -> None:
    assert people_from(None, "people.yaml").people == ()


def test_a_chat_whose_people_all_may_look_is_read() -> None:
    found = people_from({"chats": [{"id": "wr1", "everyone": "viewer"}, {"id": "wr2"}]}, "people.yaml")
    assert [chat.everyone for chat in found.chats] == ["viewer", None]
