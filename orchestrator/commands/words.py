"""The words of our answers in Chinese and English: ``say(language, key, …)``."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["zh", "en"]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "help": ("命令（也可以用英文）", "Commands"),
    "unknown": ("看不懂“{}”。你是想用：{}", "“{}” is not understood. Nearest: {}"),
    "outsider": (
        "你没有权限：你的 id `{}` 不在 people.yaml 里。请联系管理员：{}",
        "You have no role here: your id `{}` is not in people.yaml. Ask an administrator: {}",
    ),
    "group": (
        "这个群没有登记：群 id `{}` 不在 people.yaml 里",
        "This group is not listed: its id `{}` is not in people.yaml",
    ),
    "refused": (
        "没有权限：`{}` 需要 {} 角色{}，你是 {}。有这个角色的人：{}",
        "Refused: `{}` needs the role {}{}; you are {}. Who has it: {}",
    ),
    "or_own": ("（或 PR 作者、发起人）", " (or being the author, or who started the run)"),
    "nobody": ("无", "nobody"),
    "flood": ("太快了：一分钟最多 {} 条命令", "Too fast: {} commands a minute at most"),
    "trouble": ("没有做成：{}", "Not done: {}"),
    "no_run": ("没有运行 {}", "No run {}"),
    "many_runs": ("{} 可能是：{}", "{} may be: {}"),
    "no_runs": ("还没有运行", "No runs yet"),
    "no_task": ("运行 {} 没有 {}。{}", "Run {} has no {}. {}"),
    "started": ("{} 开始了运行", "{} started run"),
    "planned": ("PR {} 的计划", "Plan of PR {}"),
    "nothing": ("没有需要运行的测试", "There is nothing to test"),
    "tasks": ("任务", "Tasks"),
    "shards": ("分片", "Shards"),
    "cost": ("机时", "Cost"),
    "eta": ("预计", "ETA"),
    "run": ("运行", "Run"),
    "commit": ("提交", "Commit"),
    "cancel": ("取消", "Cancel"),
    "rerun_failed": ("重跑失败项", "Re-run failed"),
    "details": ("详情", "Details"),
    "confirm": ("确认", "Confirm"),
    "keep": ("不了", "No"),
    "ask": (
        "{} 要执行 `{}`？两分钟内由本人确认，或回复“确认 {}”",
        "{}, really `{}`? Confirm within two minutes, or write “confirm {}”",
    ),
    "aborted": ("已放弃：{}", "Left alone: {}"),
    "done": ("已处理", "Done"),
    "stale": ("这个按钮已失效", "This button is no longer valid"),
    "not_yours": ("只有发起人可以确认", "Only who asked may confirm"),
    "ended": ("运行 {} 已经结束：{}", "Run {} has ended already: {}"),
    "ended_by": ("，由 {} 取消", ", cancelled by {}"),
    "cancelling": ("{} 取消了 {}", "{} cancelled {}"),
    "all_of": ("运行 {}", "run {}"),
    "task_of": ("运行 {} 的 {}", "{} of run {}"),
    "still": ("运行 {} 还没结束：先取消或等待", "Run {} still runs: cancel it or wait first"),
    "none_failed": ("运行 {} 没有失败项", "Nothing failed in run {}"),
    "failures": ("失败", "Failures"),
    "no_log": ("没有日志：任务还没开始，或日志已过期", "No log: the task has not started, or the log is gone"),
    "why": ("为什么选", "Why"),
    "left_out": ("没有选 {}：{}", "{} was not chosen: {}"),
    "no_hosts": ("没有执行机", "There are no workers"),
    "drained": (
        "{} 不再接新任务，跑完手上的 {} 个分片后退出",
        "{} takes no new work, and ends when its {} running shards have",
    ),
    "asked_in_chat": ("在聊天里下线", "drained from the chat"),
    "waiting": ("排队", "Waiting"),
    "quarantined": ("已隔离：`{}`（{}）", "In quarantine: `{}` ({})"),
    "no_quarantine": ("没有被隔离的测试", "No test is in quarantine"),
    "not_quarantined": ("`{}` 没有被隔离", "`{}` is not in quarantine"),
    "released": ("已解除隔离：`{}`", "No longer in quarantine: `{}`"),
    "subscribed": ("已订阅：{}", "Subscribed: {}"),
    "scope_all": ("全部运行", "all runs"),
    "unsubscribed": ("已退订（{} 项）", "Unsubscribed ({})"),
    "muted": ("静音到 {}（UTC）", "Muted until {} UTC"),
    "not_subscribed": ("这里没有订阅", "Nothing is subscribed here"),
    "you": ("你是 `{}`，角色 {}", "You are `{}`, role {}"),
    "here": ("群 `{}`", "group `{}`"),
    "no_audit": ("没有记录", "No entries"),
    "minute": ("分钟", "min"),
    "first": ("首个失败", "First failure"),
    "your_run": ("你的 PR {} 没有通过", "Your PR {} did not pass"),
    "settled": ("已结束", "Ended"),
}

#: States of runs and of tasks; in English they are the words of the program.
_STATES: Final[dict[str, str]] = {
    "planned": "已计划",
    "pending": "未开始",
    "running": "运行中",
    "passed": "通过",
    "failed": "失败",
    "skipped": "跳过",
    "cancelled": "已取消",
    "error": "环境错误",
    "lost": "丢失",
}


def state(language: Language, value: str) -> str:
    """The word for a state of a run or a task (``failed``)."""
    return _STATES[value] if language == "zh" else value


def say(language: Language, key: str, *parts: object) -> str:
    """The words ``key`` with ``parts`` in their places."""
    chinese, english = _WORDS[key]
    return (chinese if language == "zh" else english).format(*parts)
