"""A summary's way into the group, over real HTTP: store, outbox, robot, and a service that keeps WeCom's rules."""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from orchestrator.cli.main import main
from orchestrator.domain.errors import EXIT_INFRASTRUCTURE, UsageError
from orchestrator.domain.run import RunSummary
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.outbox import drain
from orchestrator.notify.wecom.limits import RollingWindow
from orchestrator.notify.wecom.messages import summary_message
from orchestrator.notify.wecom.robot import Robot
from orchestrator.notify.wecom.standin import FaultKind, WeComStandIn
from orchestrator.store import OutboxState, Store
from orchestrator.store.api import OutboxMessage
from tests.unit.store.factories import make_summary

HELLO = {"markdown": "**hello** 中"}


class Clock:
    """One time for the service, the robot's window and the outbox."""

    def __init__(self) -> None:
        self.now = 1_700_000_300.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wecom(clock: Clock) -> Iterator[WeComStandIn]:
    with WeComStandIn(clock=clock, seed=5) as wecom:
        yield wecom


@pytest.fixture
def robot(wecom: WeComStandIn, clock: Clock) -> Iterator[Robot]:
    robot = Robot(wecom.key, wecom.base_url, window=RollingWindow(clock=clock), pause=lambda _: None)
    yield robot
    robot.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/history.sqlite") as store:
        yield store


def verdict(summary: RunSummary) -> OutboxMessage:
    """The summary as a message for the group."""
    payload = json.dumps({"markdown": summary_message(summary, "zh")})
    return OutboxMessage(summary.run, "wecom", "summary", payload, f"{summary.run}:summary:wecom")


def test_a_committed_run_is_told_once(store: Store, robot: Robot, wecom: WeComStandIn, clock: Clock) -> None:
    summary = make_summary()
    assert store.commit_run(summary, [verdict(summary)])
    assert not store.commit_run(summary, [verdict(summary)])
    assert drain(store, {"wecom": robot}, clock) == 1
    assert drain(store, {"wecom": robot}, clock) == 0
    assert [message.content for message in wecom.messages] == [summary_message(summary, "zh")]
    assert wecom.messages[0].msgtype == "markdown"
    assert wecom.messages[0].warnings == ()


def test_several_drainers_tell_each_run_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    with WeComStandIn() as wecom, Store(url) as store:
        for n in range(15):
            summary = make_summary(f"r-{n:02}")
            store.commit_run(summary, [verdict(summary)])

        def work() -> None:
            with Store(url) as own:
                robot = Robot(wecom.key, wecom.base_url)
                for _ in range(30):
                    drain(own, {"wecom": robot})
                    time.sleep(0.01)
                robot.close()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = [message.content.split("`")[1] for message in wecom.messages]
    assert told == [f"r-{n:02}" for n in range(15)]


def test_a_robot_never_meets_the_limit_of_the_service(
    robot: Robot, wecom: WeComStandIn, store: Store, clock: Clock
) -> None:
    start = clock.now
    for n in range(65):
        summary = make_summary(f"r-{n:02}")
        store.commit_run(summary, [verdict(summary)])
    while len(wecom.messages) < 65:
        drain(store, {"wecom": robot}, clock)
        clock.now += 1
    assert wecom.service.attempts == 65, "not one was refused"
    assert 180 <= clock.now - start <= 190


def test_over_the_limit_the_robot_is_silent_for_a_minute(
    robot: Robot, wecom: WeComStandIn, store: Store, clock: Clock
) -> None:
    for _ in range(20):  # another program uses the same robot
        wecom.service.send(wecom.key, b"{}")
    summary = make_summary()
    store.commit_run(summary, [verdict(summary)])
    assert drain(store, {"wecom": robot}, clock) == 0
    assert "45009" in str(store.outbox()[0].error)
    assert robot.wait() == 61, "for whatever else it is asked to say, too"
    for _ in range(60):
        clock.now += 1
        drain(store, {"wecom": robot}, clock)
    assert wecom.service.attempts == 21, "it does not knock while it is blocked"
    clock.now += 1
    assert drain(store, {"wecom": robot}, clock) == 1


def test_busy_is_tried_three_times_more_at_once_and_later_again(
    robot: Robot, wecom: WeComStandIn, clock: Clock
) -> None:
    wecom.inject(FaultKind.ERRCODE, -1, times=3)
    robot.deliver(HELLO, "k")
    assert len(wecom.messages) == 1
    wecom.inject(FaultKind.ERRCODE, -1, times=99)
    with pytest.raises(RetryLaterError, match="WeCom answered -1"):
        robot.deliver(HELLO, "k")
    assert wecom.service.attempts == 4 + 4


@pytest.mark.parametrize("code", [93000, 93004, 93008, 40058, 40008, 44004, 45002, 42045])
def test_final_codes_are_not_tried_again(robot: Robot, wecom: WeComStandIn, code: int) -> None:
    wecom.inject(FaultKind.ERRCODE, code)
    with pytest.raises(RefusedError, match=f"WeCom answered {code}"):
        robot.deliver(HELLO, "k")
    assert wecom.service.attempts == 1


def test_an_unknown_code_is_tried_a_few_times(robot: Robot, wecom: WeComStandIn) -> None:
    wecom.inject(FaultKind.ERRCODE, 77777)
    with pytest.raises(RetryLaterError, match="77777") as caught:
        robot.deliver(HELLO, "k")
    assert caught.value.tries == 5


@pytest.mark.parametrize(
    ("trouble", "value", "words"),
    [(FaultKind.HTTP, 500, "HTTP 500"), (FaultKind.HTTP, 302, "HTTP 302"), (FaultKind.DROP, 0, "cannot be reached")],
)
def test_a_network_in_trouble_means_later(
    robot: Robot, wecom: WeComStandIn, trouble: FaultKind, value: float, words: str
) -> None:
    wecom.inject(trouble, value)
    with pytest.raises(RetryLaterError, match=words) as caught:
        robot.deliver(HELLO, "k")
    assert caught.value.tries is None
    robot.deliver(HELLO, "k")
    assert len(wecom.messages) == 1


def test_a_lost_answer_is_told_twice_rather_than_never(
    robot: Robot, wecom: WeComStandIn, store: Store, clock: Clock
) -> None:
    wecom.inject(FaultKind.LOSE)
    summary = make_summary()
    store.commit_run(summary, [verdict(summary)])
    assert drain(store, {"wecom": robot}, clock) == 0
    clock.now += 3
    assert drain(store, {"wecom": robot}, clock) == 1
    assert len(wecom.messages) == 2


def test_a_slow_service_is_waited_for(robot: Robot, wecom: WeComStandIn) -> None:
    wecom.inject(FaultKind.SLOW, 0.3)
    robot.deliver(HELLO, "k")
    assert len(wecom.messages) == 1


def test_a_service_that_is_down_means_later(clock: Clock) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        robot = Robot("k3y-secret", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(RetryLaterError, match="cannot be reached"):
            robot.deliver(HELLO, "k")
        robot.close()


@pytest.mark.parametrize(
    "answer",
    [b"<html>proxy</html>", b"[]", b"{}", b'{"errcode": "0"}', b"null", b"", b'{"errcode":0', b"x" * 200_000],
)
def test_an_answer_that_is_not_wecoms_is_no_success(answer: bytes, clock: Clock) -> None:
    with serving(answer) as url:
        robot = Robot("k3y-secret", url)
        with pytest.raises(RetryLaterError, match=r"not WeCom|does not end"):
            robot.deliver(HELLO, "k")
        robot.close()


class serving:  # noqa: N801 - reads as a word
    """One connection that is answered with HTTP 200 and these bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(65536)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._answer)}\r\nConnection: close\r\n\r\n"
            try:
                connection.sendall(head.encode() + self._answer)
                connection.recv(1)
            except OSError:
                pass  # the robot has seen enough


def test_the_key_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    caplog.set_level(logging.DEBUG)
    key = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
    seen: list[str] = []
    with WeComStandIn(key=key, clock=clock) as wecom, Store("sqlite://") as store:
        robot = Robot(key, wecom.base_url, window=RollingWindow(clock=clock), pause=lambda _: None)
        troubles: list[tuple[FaultKind, float]] = [
            (FaultKind.ERRCODE, 93000),
            (FaultKind.ERRCODE, 45009),
            (FaultKind.HTTP, 500),
            (FaultKind.DROP, 0),
        ]
        for n, trouble in enumerate(troubles):
            summary = make_summary(f"r-{n}")
            store.commit_run(summary, [verdict(summary)])
            wecom.inject(*trouble)
            drain(store, {"wecom": robot}, clock)
            clock.now += 400
        seen += [str(entry.error) for entry in store.outbox()]
        robot.deliver(HELLO, "k")
        seen.append(repr(robot) + str(robot))
        robot.close()
    assert "POST" in caplog.text, "requests are logged"
    assert key not in caplog.text + "".join(seen)


def test_a_key_that_a_service_repeats_is_masked() -> None:
    key = "a+b/c=secret"
    with serving(
        json.dumps({"errcode": 93000, "errmsg": f"bad <@all> https://x/send?key=other {key}"}).encode()
    ) as url:
        robot = Robot(key, url)
        with pytest.raises(RefusedError) as caught:
            robot.deliver(HELLO, "k")
        robot.close()
    assert key not in str(caught.value)
    assert "other" not in str(caught.value)
    assert "<@" not in str(caught.value)


@pytest.mark.parametrize("payload", [{}, {"markdown": ""}, {"markdown": 5}, {"markdown": "中" * 1366}])
def test_a_message_no_robot_takes_is_refused_before_it_is_sent(
    robot: Robot, wecom: WeComStandIn, payload: dict[str, object]
) -> None:
    with pytest.raises(RefusedError):
        robot.deliver(payload, "k")
    assert wecom.service.attempts == 0


@pytest.mark.parametrize("url", ["", "qyapi.weixin.qq.com", "ftp://x", "http://", "http://[::"])
def test_an_address_that_is_none_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="no web address"):
        Robot("key", url)


def test_an_empty_key_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="key is empty"):
        Robot("")


def test_a_refused_verdict_stays_on_record(robot: Robot, wecom: WeComStandIn, store: Store, clock: Clock) -> None:
    wecom.service.remove_robot(wecom.key)
    summary = make_summary()
    store.commit_run(summary, [verdict(summary)])
    drain(store, {"wecom": robot}, clock)
    entry = store.outbox("r-0001")[0]
    assert entry.state is OutboxState.DEAD
    assert "93000" in str(entry.error)
    assert "Put the robot's key" in str(entry.error)


def test_what_is_no_message_at_all_gets_an_http_status(wecom: WeComStandIn) -> None:
    def status(method: str, path: str, **headers: str) -> int:
        connection = http.client.HTTPConnection(wecom.base_url.removeprefix("http://"), timeout=5)
        connection.request(method, path, headers=headers)
        try:
            return connection.getresponse().status
        finally:
            connection.close()

    send = f"/cgi-bin/webhook/send?key={wecom.key}"
    assert status("GET", send) == 405
    assert status("GET", "/") == 404
    assert status("POST", "/nowhere", **{"Content-Length": "0"}) == 404
    assert status("POST", send, **{"Content-Length": "x"}) == 411
    assert status("POST", send, **{"Content-Length": str(5 * 1024 * 1024)}) == 413


def test_files_can_be_uploaded_as_http_clients_do(wecom: WeComStandIn) -> None:
    with httpx.Client(base_url=wecom.base_url, params={"key": wecom.key}, trust_env=False) as client:
        upload = client.post(
            "/cgi-bin/webhook/upload_media", params={"type": "file"}, files={"media": ("report.txt", b"all is well")}
        ).json()
        assert upload["errcode"] == 0
        body = {"msgtype": "file", "file": {"media_id": upload["media_id"]}}
        assert client.post("/cgi-bin/webhook/send", json=body).json() == {"errcode": 0, "errmsg": "ok"}


@pytest.fixture
def dev() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts ``mo-testplan dev wecom``; ends it whatever happens."""
    running: list[subprocess.Popen[str]] = []

    def start(key: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "orchestrator", "dev", "wecom", "--port", "0", "--key", key]
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_stand_in_runs_in_a_terminal(dev: Callable[[str], subprocess.Popen[str]], ending: signal.Signals) -> None:
    process = dev("my-key")
    assert process.stderr is not None
    assert process.stdout is not None
    head = [process.stderr.readline() for _ in range(12)]
    url = head[0].split()[3]
    assert head[2].endswith("export MO_TESTPLAN_WECOM_KEY=my-key\n")
    assert "control, serve and worker" in head[-1]
    robot = Robot("my-key", url)
    robot.deliver({"markdown": "**hello** \x1b[31m中"}, "k")
    robot.close()
    assert process.stdout.readline() == "── message 1 (markdown)\n"
    assert process.stdout.readline() == "**hello** [31m中\n"
    process.send_signal(ending)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said == "1 message(s)\n"


def test_a_port_in_use_says_so(wecom: WeComStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    port = wecom.base_url.rpartition(":")[2]
    assert main(["dev", "wecom", "--port", port]) == EXIT_INFRASTRUCTURE
    assert f"port {port} cannot be opened" in capsys.readouterr().err
