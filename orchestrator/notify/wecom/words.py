"""The words of our messages in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.commands.words import Language, state
from orchestrator.domain.run import FailureKind, RunState, TaskState


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    states: dict[RunState, str]
    tasks: dict[TaskState, str]
    kinds: dict[FailureKind, str]
    run: str
    took: str
    cost: str
    cases: str
    failures: str
    of_them_new: str
    quarantined: str
    flaky: str
    ended_in: str
    new: str
    known: str
    infrastructure: str
    more: str
    details: str
    rerun: str
    cancelled_by: str
    parent: str
    expected: str
    actual: str
    nothing: str


ZH = Words(
    states={one: state("zh", one.value) for one in RunState},
    tasks={one: state("zh", one.value) for one in TaskState},
    kinds={
        FailureKind.BUILD: "编译失败",
        FailureKind.PANIC: "panic",
        FailureKind.RACE: "数据竞争",
        FailureKind.TIMEOUT: "超时",
        FailureKind.FINDING: "静态检查",
        FailureKind.MISMATCH: "结果不符",
        FailureKind.STRICT: "严格模式",
        FailureKind.ABNORMAL: "异常",
    },
    run="运行",
    took="用时",
    cost="机时",
    cases="用例",
    failures="失败",
    of_them_new="其中新增 {}",
    quarantined="隔离中（不影响结果）",
    flaky="不稳定（重试后通过）",
    ended_in="所有进程 {} 后结束",
    new="新增",
    known="主干已有",
    infrastructure="环境问题（不算测试失败）",
    more="… 还有 {} 项",
    details="查看",
    rerun="重跑失败项",
    cancelled_by="取消：",
    parent="重跑自",
    expected="期望",
    actual="实际",
    nothing="没有需要运行的测试",
)

EN = Words(
    states={one: one.value for one in RunState} | {RunState.ERROR: "infrastructure error"},
    tasks={one: one.value for one in TaskState},
    kinds={
        FailureKind.BUILD: "build failed",
        FailureKind.PANIC: "panic",
        FailureKind.RACE: "data race",
        FailureKind.TIMEOUT: "timeout",
        FailureKind.FINDING: "finding",
        FailureKind.MISMATCH: "mismatch",
        FailureKind.STRICT: "strict",
        FailureKind.ABNORMAL: "abnormal",
    },
    run="run",
    took="took",
    cost="cost",
    cases="cases",
    failures="Failures",
    of_them_new="of them new: {}",
    quarantined="In quarantine (blocks nothing)",
    flaky="Flaky (passed when tried again)",
    ended_in="every process dead after {}",
    new="new",
    known="fails on the base branch, too",
    infrastructure="Infrastructure (not test failures)",
    more="… and {} more",
    details="look",
    rerun="re-run",
    cancelled_by="cancelled: ",
    parent="re-run of",
    expected="expected",
    actual="actual",
    nothing="there was nothing to test",
)

WORDS: dict[Language, Words] = {"zh": ZH, "en": EN}
