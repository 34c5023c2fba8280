"""Understanding a line of chat: English or Chinese verbs, full-width or not, and nothing that is not exactly right."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

from orchestrator.domain.errors import UsageError
from orchestrator.service.caller import Role

#: Characters of a command.
MAX_TEXT = 500

_MENTION = re.compile(r"^@\S+\s*|\s+@\S+$")
_RUN = re.compile(r"(?=.*\d)[0-9a-z][0-9a-z-]{2,40}")
_PULL = re.compile(r"(?:pr)?#?(\d{1,9})")
_DURATION = re.compile(r"[1-9]\d{0,3}[mhd]")
_HOST = re.compile(r"[0-9A-Za-z][0-9A-Za-z@._-]{0,100}")
_CODE = re.compile(r"[0-9A-Za-z_-]{6,40}")
_SUITES = {"ut": "ut", "bvt": "bvt", "sca": "sca", "单测": "ut", "回归": "bvt", "静态": "sca"}
_FAILED = {"failed": "failed", "失败": "failed", "失败项": "failed"}
_ALL = {"all": "all", "全部": "all"}


@dataclass(frozen=True, slots=True)
class Verb:
    """A command there is."""

    name: str
    #: Its arguments by kind; ``?`` marks those that may be left out, which are the last ones.
    takes: tuple[str, ...]
    role: Role
    #: Other words for it, in English and Chinese.
    also: tuple[str, ...] = ()
    #: What it costs cannot be taken back: asks first.
    asks: bool = False
    #: The author of the pull request, and who started the run, may do it as a viewer.
    own: bool = False
    english: str = ""
    chinese: str = ""

    @property
    def usage(self) -> str:
        """``rerun RUN [failed]``."""
        words = [f"[{kind[:-1]}]" if kind.endswith("?") else kind.upper() for kind in self.takes]
        return " ".join([self.name, *(word.replace("run|pr", "RUN|PR") for word in words)])


VERBS: tuple[Verb, ...] = (
    Verb("help", (), Role.NONE, ("帮助", "?"), english="this list", chinese="命令列表"),
    Verb("whoami", (), Role.NONE, ("我是谁",), english="your id and roles", chinese="你的 id 和角色"),
    Verb("status", ("run|pr?",), Role.VIEWER, ("状态",), english="where runs stand", chinese="运行状态"),
    Verb("runs", (), Role.VIEWER, ("列表", "运行列表"), english="the last runs", chinese="最近的运行"),
    Verb("plan", ("pr",), Role.VIEWER, ("计划",), english="what a PR would run", chinese="PR 会运行什么"),
    Verb("run", ("pr", "suite?"), Role.DEVELOPER, ("运行",), own=True, english="test a PR", chinese="测试一个 PR"),
    Verb("failures", ("run|pr",), Role.VIEWER, ("失败",), english="what failed", chinese="失败的测试"),
    Verb("why", ("run|pr", "test"), Role.VIEWER, ("为什么", "原因"), english="why it was chosen", chinese="为什么选它"),
    Verb("logs", ("run|pr", "task"), Role.VIEWER, ("日志",), english="the end of a log", chinese="日志的结尾"),
    Verb(
        "rerun",
        ("run|pr", "failed?"),
        Role.DEVELOPER,
        ("retry", "重跑", "重试"),
        own=True,
        english="run again, all or what failed",
        chinese="重跑全部或失败项",
    ),
    Verb(
        "cancel",
        ("run|pr", "task?"),
        Role.MAINTAINER,
        ("revoke", "取消", "撤销", "终止"),
        asks=True,
        own=True,
        english="end a run or a task of it",
        chinese="取消运行或其中一项",
    ),
    Verb(
        "quarantine",
        ("test", "duration"),
        Role.MAINTAINER,
        ("隔离",),
        asks=True,
        english="a test blocks nobody for a while (7d)",
        chinese="一个测试暂时不影响结果（7d）",
    ),
    Verb("quarantined", (), Role.VIEWER, ("隔离列表",), english="which tests block nobody", chinese="被隔离的测试"),
    Verb(
        "release",
        ("test",),
        Role.MAINTAINER,
        ("解除隔离", "unquarantine"),
        english="a test blocks again",
        chinese="解除一个测试的隔离",
    ),
    Verb("subscribe", ("pr|all?",), Role.VIEWER, ("订阅",), english="hear of runs here", chinese="在这里接收运行消息"),
    Verb("unsubscribe", (), Role.VIEWER, ("退订", "取消订阅"), english="no more of it", chinese="不再接收"),
    Verb("mute", ("duration?",), Role.VIEWER, ("静音", "免打扰"), english="silence (1h)", chinese="暂停消息（1h）"),
    Verb("hosts", (), Role.VIEWER, ("主机", "机器"), english="workers and queues", chinese="执行机和队列"),
    Verb("drain", ("host",), Role.ADMIN, ("下线", "排空"), asks=True, english="no new work", chinese="不再接新任务"),
    Verb("audit", ("run?",), Role.ADMIN, ("审计",), english="who did what", chinese="谁做了什么"),
    Verb("confirm", ("code",), Role.VIEWER, ("确认",), english="yes, do it", chinese="确认执行"),
    Verb("abort", ("code",), Role.VIEWER, ("放弃",), english="no, leave it", chinese="放弃"),
)

_BY_WORD = {word: verb for verb in VERBS for word in (verb.name, *verb.also)}
_CHINESE = sorted((word for word in _BY_WORD if not word.isascii()), key=len, reverse=True)


class NotUnderstoodError(UsageError):
    """No command, or one with other arguments than it takes; ``nearest`` are the usages that may have been meant."""

    def __init__(self, message: str, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message, " / ".join(nearest))
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class Command:
    """A verb and its arguments, checked and in one form (``#12`` and ``PR 12`` are ``12``)."""

    verb: Verb
    args: tuple[str, ...]

    def arg(self, place: int) -> str:
        """The argument at ``place``; empty when it was left out."""
        return self.args[place] if place < len(self.args) else ""

    def __str__(self) -> str:
        return " ".join((self.verb.name, *self.args))


def normal(text: str) -> str:
    """One line, half-width, without the mention that a group puts first, or a person last."""
    line = " ".join(unicodedata.normalize("NFKC", text[: 2 * MAX_TEXT]).split())
    return _MENTION.sub("", line).removeprefix("/").strip()


def parse(text: str) -> Command:
    """The command in ``text``; :class:`NotUnderstoodError` names the nearest ones."""
    line = normal(text)
    if not line:
        raise NotUnderstoodError("empty", ("help",))
    if len(line) > MAX_TEXT or not line.isprintable():
        raise NotUnderstoodError("too long" if len(line) > MAX_TEXT else "not printable", ("help",))
    word, _, rest = line.partition(" ")
    verb = _BY_WORD.get(word.casefold())
    if verb is None:
        start = next((chinese for chinese in _CHINESE if word.startswith(chinese)), None)
        if start is None:
            raise NotUnderstoodError(word[:40], _nearest(word))
        verb, rest = _BY_WORD[start], f"{word.removeprefix(start)} {rest}"
    return Command(verb, _arguments(verb, rest.split()))


def _nearest(word: str) -> tuple[str, ...]:
    close = difflib.get_close_matches(word.casefold(), _BY_WORD, n=3, cutoff=0.5)
    return tuple(dict.fromkeys(_BY_WORD[name].usage for name in close)) or ("help",)


def _arguments(verb: Verb, words: list[str]) -> tuple[str, ...]:
    if words and words[0].casefold() in ("pr", "#") and len(words) > 1:
        words = [f"{words[0]}{words[1]}", *words[2:]]
    needed = sum(not kind.endswith("?") for kind in verb.takes)
    takes_rest = bool(verb.takes) and verb.takes[-1] in ("test", "task", "task?")
    if takes_rest and len(words) > len(verb.takes):
        words = [*words[: len(verb.takes) - 1], " ".join(words[len(verb.takes) - 1 :])]
    if verb.name == "quarantine" and len(words) > 2:
        words = [" ".join(words[:-1]), words[-1]]
    if not needed <= len(words) <= len(verb.takes):
        raise NotUnderstoodError(" ".join((verb.name, *words))[:60], (verb.usage,))
    values = [_argument(kind.rstrip("?"), word) for kind, word in zip(verb.takes, words, strict=False)]
    if not all(values):
        raise NotUnderstoodError(" ".join((verb.name, *words))[:60], (verb.usage,))
    return tuple(filter(None, values))


def _argument(kind: str, word: str) -> str | None:
    """``word`` in the form of its kind; None where it is none."""
    low, value = word.casefold(), None
    if kind in ("pr", "run|pr", "pr|all") and (match := _PULL.fullmatch(low)):
        value = str(int(match[1]))
    elif kind in ("run", "run|pr"):
        value = low if _RUN.fullmatch(low) else None
    elif kind == "pr|all":
        value = _ALL.get(low)
    elif kind == "suite":
        value = _SUITES.get(low)
    elif kind == "failed":
        value = _FAILED.get(low)
    elif kind == "duration":
        value = low if _DURATION.fullmatch(low) else None
    elif kind == "host":
        value = word if _HOST.fullmatch(word) else None
    elif kind == "code":
        value = word if _CODE.fullmatch(word) else None
    elif kind in ("test", "task"):
        value = word if len(word) <= 300 else None
    return None if value == "0" else value


def seconds(duration: str) -> float:
    """``90m``, ``2h`` or ``7d`` in seconds."""
    return int(duration[:-1]) * {"m": 60.0, "h": 3600.0, "d": 86400.0}[duration[-1]]
