"""Callbacks at a steady rate over real HTTP: how soon each is answered, and whether each is acted on exactly once."""

from __future__ import annotations

import collections
import json
import random
import subprocess
import sys
import time
from typing import Any

import httpx

from benchmarks.chatload.place import ROOT, Place, place
from benchmarks.rig.waiting import seconds_until
from orchestrator.commands.inbox import Inbox
from orchestrator.commands.shelf import Shelf
from orchestrator.notify.wecom.envelope import write_xml
from orchestrator.store import Store
from workers.servers.owned import free_port

#: Of every hundred messages, so many are delivered again at once, as WeCom does when it saw no answer.
_REPEATED = 5
#: Commands of one person in the measurement: below what counts as a flood.
_PER_PERSON = 10


def measure(rate: int, seconds: int, seed: int) -> dict[str, Any]:
    """Figures of ``rate`` callbacks a second for ``seconds``; each is a command with an effect of its own."""
    count = rate * seconds
    users = [f"u{n}" for n in range(count // _PER_PERSON + 1)]
    people = "people:\n" + "".join(f"  - {{userid: {user}, role: viewer}}\n" for user in users)
    with place(users, people) as here:
        port = free_port()
        here.world.serve_at(f"http://127.0.0.1:{port}")
        here.start("serve", "--profile", "load", "--port", str(port))
        seconds_until(lambda: _checks(here), "the server answers", patience=30)
        requests, deliveries = _requests(here, users, count, random.Random(seed))
        took = _sent(here, requests, rate)
        inbox = Inbox(here.settings.redis_url, "app")
        lag = seconds_until(lambda: inbox.waiting() == 0, "every message is acted on", patience=300)
        inbox.close()
        time.sleep(1.0)  # a second execution would show now
        with Store(here.settings.store_url) as store:
            acted = collections.Counter(row.action for row in store.audit_log(2 * count))
        shelf = Shelf(here.settings.redis_url)
        effects = len(shelf.subscriptions())
        shelf.close()
        return {
            "callbacks": count,
            "deliveries": deliveries,
            "answered_200": sum(status == 200 for status, _ in took),
            "slowest_answer_s": round(max(seconds for _, seconds in took), 3),
            "p99_answer_s": round(sorted(seconds for _, seconds in took)[int(0.99 * len(took))], 3),
            "acted_on_once": sum(acted[f"subscribe {number}"] == 1 for number in range(1, count + 1)),
            "acted_on_twice": sum(times > 1 for times in acted.values()),
            "effects": effects,
            "lag_s": round(lag, 1),
        }


def _checks(here: Place) -> bool:
    try:
        return here.world.corp.check_address()
    except httpx.HTTPError:
        return False


def _requests(
    here: Place, users: list[str], count: int, chance: random.Random
) -> tuple[list[tuple[dict[str, str], bytes]], int]:
    """Signed requests, sealed beforehand: the sender must not be what is measured."""
    corp, found = here.world.corp, []
    for number in range(1, count + 1):
        fields = {"MsgType": "text", "Content": f"订阅 {number}", "MsgId": str(number)}
        inner = write_xml(corp.fields(users[number % len(users)], fields)).encode()
        for _ in range(2 if chance.randrange(100) < _REPEATED else 1):
            sealed = corp.cipher.encrypt(inner)
            body = write_xml({"ToUserName": corp.corp.corp_id, "Encrypt": sealed}).encode()
            found.append((corp.query(sealed), body))
    return found, len(found)


def _sent(here: Place, requests: list[tuple[dict[str, str], bytes]], rate: int) -> list[tuple[int, float]]:
    """Status and seconds of each request, sent by a process of its own: here the stand-in needs the interpreter."""
    plan = here.folder / "requests.json"
    plan.write_text(json.dumps([[query, body.decode()] for query, body in requests]))
    words = [here.world.corp.callback_url, str(plan), str(rate)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chatload.sender", *words],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return [(int(status), float(seconds)) for status, seconds in json.loads(done.stdout)]
