"""A group robot of WeCom to test against: it refuses what the real one refuses, and remembers what it took.

    with WeComStandIn() as wecom:
        Robot(wecom.key, wecom.base_url).deliver({"markdown": "**hello**"}, "id")
        assert wecom.messages[0].content == "**hello**"

``mo-testplan dev wecom`` runs it in a terminal. Sources are the pages 91770, 99110 and 90313 of
developer.work.weixin.qq.com.

Official, or seen in captures of the real service: the message types and their byte limits (40058 ``exceed max
length``), the image, news and card limits, 20 messages a minute (45009), business errors on HTTP 200, the form of
``errmsg``, 93000 for a wrong key, 44004 for empty content, media ids of three days for one key, titles and descriptions
of news cut silently.

Guesses, because no page says which code the robot answers:

* 40008 for an unknown type and 40058 for broken JSON and wrong types (the global table's meaning);
* 40058 for a wrong image digest and for a news article without title or url; 44004 for news without articles;
* 44001, 40004 and 40006 for an empty, wrong or too big image or upload, 41005 for an upload without its field;
* the codes of missing card fields (420xx, by their names in the global table);
* that a refused message, and one over the limit, counts towards the limit;
* HTTP 404, 405, 411 and 413 for what is no message at all.
"""

from __future__ import annotations

from orchestrator.notify.wecom.standin.faults import Fault, FaultKind
from orchestrator.notify.wecom.standin.server import WeComStandIn
from orchestrator.notify.wecom.standin.service import Received

__all__ = ["Fault", "FaultKind", "Received", "WeComStandIn"]
