"""A self-built application's side of WeCom, without HTTP: tokens, messages to members, cards and their updates.

Official (documents 91039, 90236, 94888): one token for its validity of 7200 s, 40001/40013/40014/42001, receivers
(81013, 82001, ``invaliduser``), text cut and markdown refused beyond 2048 bytes, 30 messages a member and minute with
the rest dropped silently, card fields (420xx), ``response_code`` once within 72 hours, 60020 for a caller whose address
is not trusted, the same body within half an hour not delivered again when ``enable_duplicate_check`` asks for it.
Guesses: 40058 for more than six buttons, 42022 for a used or unknown ``response_code``, 40056 for a foreign agent id,
and how many token requests a minute are too many.
"""

from __future__ import annotations

import json
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.notify.wecom.standin.answers import Refusal, accepted, refused
from orchestrator.notify.wecom.standin.cards import check_button_card
from orchestrator.notify.wecom.standin.shapes import Json, integer, mapping, string, strings
from orchestrator.notify.wecom.standin.shown import Shown
from orchestrator.notify.wecom.text import clip, size

TOKEN_LIFE, CODE_LIFE = 7200.0, 72 * 3600.0
CONTENT, PER_MEMBER = 2048, 30
#: Token requests a minute that are answered, and seconds in which a repeated body counts as a duplicate.
PER_TOKEN, DUPLICATE = 100, 1800.0


@dataclass(slots=True)
class _Code:
    shown: Shown
    users: frozenset[str]
    born: float


@dataclass(slots=True)
class Corp:
    """One corp with one application and some members. Safe to use from several threads."""

    clock: Callable[[], float]
    corp_id: str = "wwstandin"
    agent_id: int = 1000002
    secret: str = "app-secret"  # noqa: S105 - a sample
    members: frozenset[str] = frozenset()
    #: Opaque ids of members by which bots of other creators know them.
    open_userids: dict[str, str] = field(default_factory=dict)
    resolutions: int = 0
    source: random.Random = field(default_factory=random.Random)
    shown: list[Shown] = field(default_factory=list)
    dropped: int = 0
    token_requests: int = 0
    #: Whether the caller's address is among the application's trusted ones.
    trusted: bool = True
    _tokens: dict[str, float] = field(default_factory=dict)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _tasks: set[str] = field(default_factory=set)
    _rates: dict[str, deque[float]] = field(default_factory=dict)
    _bodies: dict[str, float] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, path: str, query: dict[str, str], body: Json) -> Json | None:
        """The answer to a request; None for a path there is not."""
        calls = {
            "gettoken": self._gettoken,
            "message/send": self._send,
            "message/update_template_card": self._update,
            "batch/openuserid_to_userid": self._resolve,
        }
        call = calls.get(path.removeprefix("/cgi-bin/"))
        if call is None:
            return None
        with self.changed:
            try:
                if not self.trusted:
                    raise Refusal(60020, "not allow to access from your ip")
                if call != self._gettoken:
                    self._check_token(query.get("access_token", ""))
                done = call(query, body)
            except Refusal as refusal:
                return refused(refusal, self.source)
            finally:
                self.changed.notify_all()
            return accepted(**done)

    def expire_tokens(self) -> None:
        """All tokens are too old from now on."""
        with self.changed:
            self._tokens = dict.fromkeys(self._tokens, float("-inf"))

    def new_code(self, shown: Shown, users: frozenset[str]) -> str:
        """A code that changes a card once."""
        code = f"code-{self.source.getrandbits(64):016x}"
        self._codes[code] = _Code(shown, users, self.clock())
        return code

    def _gettoken(self, query: dict[str, str], _body: Json) -> Json:
        self.token_requests += 1
        if self._over("gettoken", PER_TOKEN):
            raise Refusal(45009, "api freq out of limit")
        if query.get("corpid") != self.corp_id:
            raise Refusal(40013, "invalid corpid")
        if query.get("corpsecret") != self.secret:
            raise Refusal(40001, "invalid credential")
        token = next((t for t, until in self._tokens.items() if until > self.clock()), "")
        if not token:
            token = f"token-{self.source.getrandbits(128):032x}"
            self._tokens[token] = self.clock() + TOKEN_LIFE
        return {"access_token": token, "expires_in": int(self._tokens[token] - self.clock())}

    def _check_token(self, token: str) -> None:
        if not token:
            raise Refusal(41001, "access_token missing")
        if token not in self._tokens:
            raise Refusal(40014, "invalid access_token")
        if self._tokens[token] <= self.clock():
            raise Refusal(42001, "access_token expired")

    def _send(self, _query: dict[str, str], body: Json) -> Json:
        users = [user for user in string(body, "touser").split("|") if user]
        if not users:
            raise Refusal(82001, "touser, toparty and totag are empty")
        if integer(body, "agentid") != self.agent_id:
            raise Refusal(40056, "invalid agentid")
        known = [user for user in users if user in self.members]
        if not known:
            raise Refusal(81013, "user & party & tag all invalid")
        msgtype = string(body, "msgtype")
        part = mapping(body, msgtype)
        task = self._check(msgtype, part)
        answer: Json = {
            "msgid": f"m{len(self.shown)}",
            "invaliduser": "|".join(u.lower() for u in users if u not in known),
        }
        for user in [] if self._duplicate(body) else known:
            if self._over(f"to {user}", PER_MEMBER):
                self.dropped += 1
                continue
            shown = Shown(user, msgtype, part, task)
            self.shown.append(shown)
            if part.get("card_type") == "button_interaction":
                answer["response_code"] = self.new_code(shown, frozenset([user]))
        return answer

    def _resolve(self, _query: dict[str, str], body: Json) -> Json:
        self.resolutions += 1
        asked = strings(body, "open_userid_list")
        known = [{"open_userid": one, "userid": self.open_userids[one]} for one in asked if one in self.open_userids]
        return {
            "userid_list": known,
            "invalid_open_userid_list": [one for one in asked if one not in self.open_userids],
        }

    def _check(self, msgtype: str, part: Json) -> str:
        if msgtype == "template_card":
            task = check_button_card(part)
            if task in self._tasks:
                raise Refusal(42014, "task_id is not unique")
            if task:
                self._tasks.add(task)
            return task
        if msgtype not in ("text", "markdown"):
            raise Refusal(40008, "invalid message type")
        if not string(part, "content"):
            raise Refusal(44004, "empty content")
        if msgtype == "text":
            part["content"] = clip(part["content"], CONTENT, "")
        elif size(part["content"]) > CONTENT:
            raise Refusal(40058, f"markdown.content exceed max length {CONTENT}")
        return ""

    def _over(self, what: str, limit: int) -> bool:
        sent, now = self._rates.setdefault(what, deque()), self.clock()
        while sent and sent[0] <= now - 60:
            sent.popleft()
        sent.append(now)
        return len(sent) > limit

    def _duplicate(self, body: Json) -> bool:
        """Whether the caller asked that this body be delivered once, and it was lately."""
        if integer(body, "enable_duplicate_check") != 1:
            return False
        text, now = json.dumps(body, sort_keys=True), self.clock()
        interval = integer(body, "duplicate_check_interval", int(DUPLICATE))
        before, self._bodies[text] = self._bodies.get(text, float("-inf")), now
        return now - before < interval

    def _update(self, _query: dict[str, str], body: Json) -> Json:
        if integer(body, "agentid") != self.agent_id:
            raise Refusal(42015, "agentid differs")
        code = self._codes.pop(string(body, "response_code"), None)
        if code is None or self.clock() - code.born > CODE_LIFE:
            raise Refusal(42022, "response_code is used or unknown")
        if not set(strings(body, "userids")) <= code.users:
            raise Refusal(81013, "userids are not among the receivers")
        button, card = mapping(body, "button"), mapping(body, "template_card")
        if bool(button) == bool(card):
            raise Refusal(40058, "one of button and template_card is needed")
        if card:
            check_button_card(card)
            code.shown.body = card
        else:
            code.shown.body = {**code.shown.body, "button_list": [], "replace_text": string(button, "replace_name")}
        code.shown.updates += 1
        return {}
