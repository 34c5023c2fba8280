"""What every store promises, whichever database is below. Subclasses offer the ``store`` and ``url`` fixtures."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import inspect, text

from orchestrator.domain.errors import InfrastructureError, UnknownRunError
from orchestrator.domain.quarantine import Quarantine
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, RunState, TaskResult, TaskState
from orchestrator.store import AuditEntry, OutboxMessage, OutboxState, Store, StoredCase, migrations
from orchestrator.store.models import Base
from tests.unit.store.factories import GO_FAILURE, SQL_FAILURE, make_cases, make_message, make_summary, make_task

NOW = 1_700_000_300.0


def plan(store: Store, run: str = "r-0001", pr: int | None = 42, created: float = 1_700_000_000.0) -> None:
    store.record_plan(
        run, '{"id": "p"}', parent=None, pr_number=pr, profile="demo", repo_commit="c" * 40, created=created
    )


class HistoryContract:
    def test_a_planned_run_is_running_and_has_no_summary(self, store: Store) -> None:
        plan(store)
        record = store.run("r-0001")
        assert record is not None
        assert (record.state, record.profile, record.pr_number) == (RunState.RUNNING, "demo", 42)
        assert (record.repo_commit, record.ended) == ("c" * 40, None)
        assert store.plan_json("r-0001") == '{"id": "p"}'
        assert store.summary("r-0001") is None

    def test_planning_again_changes_nothing(self, store: Store) -> None:
        plan(store)
        store.record_plan("r-0001", "{}", parent="x", pr_number=1, profile="other", repo_commit=None, created=1.0)
        assert store.plan_json("r-0001") == '{"id": "p"}'

    def test_a_committed_summary_reads_back_equal(self, store: Store) -> None:
        plan(store)
        summary = make_summary(cancelled_by="alice: superseded", parent="r-0000")
        assert store.commit_run(summary, [make_message()])
        assert store.summary("r-0001") == summary
        record = store.run("r-0001")
        assert record is not None
        assert (record.state, record.ended, record.cost) == (RunState.FAILED, summary.ended, summary.cost)
        assert store.plan_json("r-0001") == '{"id": "p"}'

    def test_a_run_that_was_never_planned_here_can_be_committed(self, store: Store) -> None:
        assert store.commit_run(make_summary(), [])
        assert store.summary("r-0001") == make_summary()
        assert store.plan_json("r-0001") is None

    def test_a_second_commit_writes_nothing(self, store: Store) -> None:
        assert store.commit_run(make_summary(), [make_message()])
        other = make_summary(state=RunState.PASSED)
        assert not store.commit_run(other, [make_message(key="another")])
        assert store.summary("r-0001") == make_summary()
        assert len(store.outbox()) == 1

    def test_of_many_committers_one_wins(self, store: Store) -> None:
        plan(store)
        barrier = threading.Barrier(6)

        def commit(n: int) -> bool:
            barrier.wait()
            return store.commit_run(make_summary(cancelled_by=str(n)), [make_message(key=f"k{n}")])

        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(commit, range(6)))
        assert sum(outcomes) == 1
        assert [entry.message.key for entry in store.outbox()] == [f"k{outcomes.index(True)}"]

    def test_history_and_outbox_are_one_write(self, store: Store) -> None:
        broken = dataclasses.replace(make_message(), channel=None)  # type: ignore[arg-type]
        with pytest.raises(InfrastructureError):
            store.commit_run(make_summary(), [make_message(key="good"), broken])
        assert store.run("r-0001") is None
        assert store.outbox() == []
        assert store.commit_run(make_summary(), [make_message(key="good")])

    def test_runs_come_newest_first_and_by_pull_request(self, store: Store) -> None:
        for n in range(5):
            plan(store, f"r-{n}", pr=n % 2, created=1_700_000_000.0 + n)
        assert [run.id for run in store.runs(3)] == ["r-4", "r-3", "r-2"]
        assert [run.id for run in store.runs(10, pr=1)] == ["r-3", "r-1"]

    def test_a_prefix_names_its_only_run(self, store: Store) -> None:
        for run in ("r-10", "r-101", "r-2%"):
            plan(store, run)
        assert store.resolve("r-2") == "r-2%"
        assert store.resolve("r-10") == "r-10"
        with pytest.raises(UnknownRunError, match="r-10, r-101"):
            store.resolve("r-1")
        for unknown in ("r-9", "R-2", "%", "", "'; drop table runs; --", "\0"):
            with pytest.raises(UnknownRunError, match="no run"):
                store.resolve(unknown)

    def test_hostile_text_and_numbers_are_stored_harmlessly(self, store: Store) -> None:
        hostile = "a\0b\ud800c😀'; drop table runs; --"
        failure = dataclasses.replace(GO_FAILURE, message=hostile, seconds=1.0)
        task = make_task(message=hostile, seconds=float("nan"), passed=10**30, failed=-4, failures=(failure,))
        assert store.commit_run(make_summary(tasks=(task,)), [make_message(payload=hostile)])
        read = store.summary("r-0001")
        assert read is not None
        assert read.tasks[0].message == "a\ufffdb\ufffdc😀'; drop table runs; --"
        assert (read.tasks[0].seconds, read.tasks[0].failed) == (0.0, 0)
        assert read.tasks[0].failures == (failure,)

    def test_a_number_no_database_holds_is_a_clear_error(self, store: Store) -> None:
        with pytest.raises(InfrastructureError, match="store"):
            plan(store, pr=10**30)


class CaseContract:
    def test_cases_read_back_equal_and_in_order(self, store: Store) -> None:
        plan(store)
        rows = [*make_cases(3), StoredCase("2-0", "bvt:join", 2, SQL_FAILURE), StoredCase("2-1", "ut:x", 1, GO_FAILURE)]
        store.add_cases("r-0001", rows)
        assert store.cases("r-0001") == rows
        assert store.cases("r-0001", task="bvt:join") == [rows[3]]
        assert store.cases("r-0001", status=CaseStatus.FAILED) == rows[3:]
        assert store.cases("r-0001", limit=2) == rows[:2]

    def test_failures_of_an_attempt_are_counted_and_read_in_part(self, store: Store) -> None:
        plan(store)
        status = [CaseStatus.FAILED, CaseStatus.PASSED, CaseStatus.ERROR, CaseStatus.FAILED]
        made = [CaseResult(f"Test{number}", one) for number, one in enumerate(status)]
        rows = [StoredCase(f"{attempt}-{one.name}", "ut:x", attempt, one) for attempt in (1, 2) for one in made]
        store.add_cases("r-0001", [*rows, StoredCase("3", "ut:y", 2, made[0])])
        assert (store.count_failures("r-0001", "ut:x", 2), store.count_failures("r-0001", "ut:x", 3)) == (3, 0)
        assert store.failures_of("r-0001", "ut:x", 2, 9) == [made[0], made[2], made[3]]
        assert store.failures_of("r-0001", "ut:x", 2, 1, 1) == [made[2]]

    def test_a_replayed_stream_is_stored_once(self, store: Store) -> None:
        plan(store)
        rows = make_cases(2500)
        store.add_cases("r-0001", rows[:1500])
        store.add_cases("r-0001", rows)
        assert store.cases("r-0001", limit=9999) == rows

    def test_the_same_source_id_may_appear_in_two_runs(self, store: Store) -> None:
        plan(store)
        plan(store, "r-0002")
        for run in ("r-0001", "r-0002"):
            store.add_cases(run, iter(make_cases(2)))
        assert len(store.cases("r-0002")) == 2

    def test_a_broken_batch_leaves_nothing_behind(self, store: Store) -> None:
        plan(store)
        bad = StoredCase("9-9", None, 1, GO_FAILURE)  # type: ignore[arg-type]
        with pytest.raises(InfrastructureError):
            store.add_cases("r-0001", [*make_cases(1200), bad])
        assert store.cases("r-0001") == []

    def test_cases_of_an_unknown_run_are_refused(self, store: Store) -> None:
        with pytest.raises(UnknownRunError, match="r-none"):
            store.add_cases("r-none", make_cases(1))

    def test_a_hostile_case_is_stored_harmlessly(self, store: Store) -> None:
        plan(store)
        case = CaseResult(
            "n\0" + "x" * 5000, CaseStatus.ERROR, float("inf"), "m" * 10**6, FailureKind.PANIC, "f\udcff", 10**20
        )
        store.add_cases("r-0001", [StoredCase("1-1", "ut:x", 1, case)])
        read = store.cases("r-0001")[0].case
        assert (read.seconds, read.file, read.line, len(read.name)) == (0.0, "f\ufffd", None, 1000)
        assert len(read.message) == 64_000


class OutboxContract:
    def test_a_message_is_due_until_it_is_sent(self, store: Store) -> None:
        store.enqueue([make_message()], NOW - 5)
        claimed = store.due(NOW, 10)
        assert [(due.message, due.attempts, due.created) for due in claimed] == [(make_message(), 1, NOW - 5)]
        store.sent(claimed[0].id, NOW + 1)
        assert store.due(NOW + 9999, 10) == []
        assert [(entry.state, entry.sent_at) for entry in store.outbox()] == [(OutboxState.SENT, NOW + 1)]

    def test_a_known_key_is_not_queued_again(self, store: Store) -> None:
        store.enqueue([make_message()], NOW)
        store.enqueue([make_message(payload="{}"), make_message(key="new")], NOW)
        assert [entry.message.key for entry in store.outbox()] == ["r-0001:summary:wecom", "new"]

    def test_a_claimed_message_is_nobody_elses_until_the_lease_ends(self, store: Store) -> None:
        store.enqueue([make_message(key=f"k{n}") for n in range(3)], NOW)
        first = store.due(NOW, 1, lease=30)
        assert store.due(NOW + 29, 3) == [], "the second would overtake the first"
        again = store.due(NOW + 30, 3)
        assert [due.message.key for due in again] == ["k0", "k1", "k2"]
        assert (again[0].id, again[0].attempts) == (first[0].id, 2)

    def test_a_failed_message_holds_back_its_channel_only(self, store: Store) -> None:
        store.enqueue([make_message(key="a"), make_message(key="b"), make_message(key="c", channel="github")], NOW)
        store.failed(store.due(NOW, 1, channel="wecom")[0].id, "busy", NOW + 60)
        assert [due.message.key for due in store.due(NOW + 59, 9)] == ["c"]
        assert [due.message.key for due in store.due(NOW + 60, 9)] == ["a", "b"]
        assert store.outbox()[0].error == "busy"

    def test_a_message_given_up_is_on_record_and_lets_the_next_one_go(self, store: Store) -> None:
        store.enqueue([make_message(key="a"), make_message(key="b")], NOW)
        store.give_up(store.due(NOW, 1)[0].id, "93000: unknown robot")
        assert [due.message.key for due in store.due(NOW, 9)] == ["b"]
        dead = store.outbox(state=OutboxState.DEAD)
        assert [(entry.message.key, entry.error) for entry in dead] == [("a", "93000: unknown robot")]

    def test_a_late_answer_does_not_revive_a_sent_message(self, store: Store) -> None:
        store.enqueue([make_message()], NOW)
        number = store.due(NOW, 1)[0].id
        store.sent(number, NOW)
        store.failed(number, "timeout", NOW)
        store.give_up(number, "too late")
        assert [(entry.state, entry.error) for entry in store.outbox()] == [(OutboxState.SENT, None)]

    def test_several_drainers_take_each_message_once_and_in_order(self, store: Store) -> None:
        store.enqueue([make_message(key=f"{n:02}") for n in range(30)], NOW)
        taken: list[str] = []

        def work(_: int) -> None:
            misses = 0
            while misses < 40:
                claimed = store.due(NOW, 1, channel="wecom")
                if not claimed:
                    misses += 1
                    threading.Event().wait(0.002)
                    continue
                taken.append(claimed[0].message.key)
                store.sent(claimed[0].id)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert taken == [f"{n:02}" for n in range(30)]


class AuditContract:
    def test_the_log_tells_the_newest_first(self, store: Store) -> None:
        store.audit("alice", "cli", "cancel", "r-0001", "done", at=NOW)
        store.audit("bob", "wecom", "cancel", "r-0001", "refused: needs developer", at=NOW + 1)
        store.audit("bob", "wecom", "whoami", "", "viewer", at=NOW + 2)
        assert store.audit_log(1) == [AuditEntry(NOW + 2, "bob", "wecom", "whoami", "", "viewer")]
        assert [entry.who for entry in store.audit_log(target="r-0001")] == ["bob", "alice"]

    def test_the_time_is_now_unless_told(self, store: Store) -> None:
        store.audit("a", "cli", "run", "r", "done")
        assert store.audit_log()[0].at > NOW

    def test_deeds_from_elsewhere_are_written_once(self, store: Store) -> None:
        entry = AuditEntry(NOW, "bo@ci", "cli", "cancel", "r-0001", "asked")
        for _ in range(2):
            store.audit_deeds([("1-0", entry), ("2-0", entry)])
        assert store.audit_log() == [entry, entry]
        assert store.forget(cases=0, runs=0, audit=NOW + 1).deeds == 2


class DurationContract:
    def commit(self, store: Store, run: str, *tasks: TaskResult, files: tuple[str, ...] = ()) -> None:
        listed = [{"id": task.task, "files": list(files)} for task in tasks]
        store.record_plan(
            run, json.dumps({"tasks": listed}), parent=None, pr_number=None, profile="demo", repo_commit=None, created=1
        )
        store.commit_run(make_summary(run, RunState.PASSED, tasks=tasks), [])

    def test_the_estimate_is_the_median_of_what_it_took_without_set_up(self, store: Store) -> None:
        for number, seconds in enumerate((31.0, 900.0, 30.0)):
            self.commit(store, f"r-{number}", make_task("ut:pkg/a", seconds=seconds, setup=20.0))
        assert store.durations("demo") == {"ut:pkg/a": 11.0, "setup:ut": 20.0}
        assert store.durations("other") == {}

    def test_a_part_and_what_was_not_judged_say_nothing_of_the_whole(self, store: Store) -> None:
        self.commit(store, "r-1", make_task("bvt:join", seconds=5.0), files=("join.sql",))
        self.commit(store, "r-2", make_task("ut:pkg/a", TaskState.ERROR, seconds=5.0))
        assert store.durations("demo") == {}

    def test_scripts_are_known_by_their_path_from_the_attempt_that_counts(self, store: Store) -> None:
        plan(store)
        rows = [
            StoredCase(f"{n}-0", "bvt:join", attempt, dataclasses.replace(SQL_FAILURE, seconds=seconds))
            for n, (attempt, seconds) in enumerate([(1, 9.0), (2, 0.5), (2, 0.25)])
        ]
        store.add_cases("r-0001", rows)
        store.commit_run(make_summary(tasks=(make_task("bvt:join", attempt=2, seconds=2.0),)), [])
        assert store.durations("demo") == {"bvt:join": 2.0, "join/join.sql": 0.75}

    def test_files_of_python_tests_are_known_by_their_path_and_tests_of_go_are_not(self, store: Store) -> None:
        plan(store)
        names = (
            "tests/test_a.py::test_x",
            "tests/test_a.py::test_y[1::2]",
            "tests/test_b.py::test_z",
            "pkg/a.TestX/b::c",
            "setup:bvt::x.py::it_names_another_unit",
        )
        cases = [dataclasses.replace(SQL_FAILURE, name=name, seconds=0.5, file=None) for name in names]
        store.add_cases("r-0001", [StoredCase(f"{n}-0", "ut:tests", 1, case) for n, case in enumerate(cases)])
        store.commit_run(make_summary(tasks=(make_task("ut:tests", seconds=2.0),)), [])
        assert store.durations("demo") == {"ut:tests": 2.0, "tests/test_a.py": 1.0, "tests/test_b.py": 0.5}

    def test_a_second_commit_teaches_nothing(self, store: Store) -> None:
        for seconds in (1.0, 99.0):
            self.commit(store, "r-1", make_task("ut:pkg/a", seconds=seconds))
        assert store.durations("demo") == {"ut:pkg/a": 1.0}


ODD = ("a\0b", "a\udcffb")


class StatisticsContract:
    @pytest.mark.parametrize("odd", ODD)
    def test_what_no_database_takes_is_looked_for_as_it_is_stored(self, store: Store, odd: str) -> None:
        store.quarantine(odd, Quarantine(odd, "ann", NOW, "flaky"))
        store.audit(odd, "cli", "cancel", odd, "done")
        assert [entry.test for entry in store.quarantines(odd)] == ["a\ufffdb"]
        assert [entry.who for entry in store.audit_log(target=odd)] == ["a\ufffdb"]
        assert store.release_quarantine(odd, odd)
        assert (store.run(odd), store.summary(odd), store.cases(odd), store.durations(odd)) == (None, None, [], {})
        assert (store.flakiest(0, profile=odd), store.slowest(0, profile=odd), store.failures(odd)) == ([], [], [])
        assert (store.runs(profile=odd), store.runs(state=odd)) == ([], [])

    def judge(self, store: Store, run: str, commit: str, status: CaseStatus, **changes: Any) -> None:  # noqa: ANN401
        profile = changes.get("profile", "demo")
        store.record_plan(
            run, "{}", parent=None, pr_number=7, profile=profile, repo_commit=commit, created=1_700_000_000.0
        )
        store.add_cases(run, [StoredCase("1-0", "ut:pkg/price", 1, CaseResult(name="pkg/a.TestA", status=status))])
        state = RunState.FAILED if status is CaseStatus.FAILED else RunState.PASSED
        store.commit_run(make_summary(run, state, **changes), [make_message(run)])

    def test_fail_and_pass_on_one_commit_is_flaky_and_on_two_is_not(self, store: Store) -> None:
        self.judge(store, "r-1", "a" * 40, CaseStatus.FAILED)
        self.judge(store, "r-2", "b" * 40, CaseStatus.PASSED)
        assert store.flakiest(0) == []
        self.judge(store, "r-3", "a" * 40, CaseStatus.PASSED)
        assert [(f.name, f.commits, f.failures) for f in store.flakiest(0)] == [("pkg/a.TestA", 1, 1)]
        assert store.flakiest(1_800_000_000) == []
        assert store.flakiest(0, profile="other") == []

    def test_to_fail_in_one_profile_and_pass_in_another_is_not_flaky(self, store: Store) -> None:
        self.judge(store, "r-race", "a" * 40, CaseStatus.FAILED, profile="demo-race")
        self.judge(store, "r-plain", "a" * 40, CaseStatus.PASSED)
        assert store.flakiest(0) == []

    def test_slow_tasks_costs_and_days_add_up(self, store: Store) -> None:
        self.judge(store, "r-1", "a" * 40, CaseStatus.PASSED, pr_number=7, cost=10.0, tasks=(make_task(seconds=4.0),))
        self.judge(store, "r-2", "a" * 40, CaseStatus.FAILED, pr_number=7, cost=5.0, tasks=(make_task(seconds=2.0),))
        (slow,) = store.slowest(0)
        assert (slow.task, slow.runs, slow.mean, slow.longest, slow.total) == ("ut:pkg/price", 2, 3.0, 4.0, 6.0)
        (cost,) = store.costs(0)
        assert (cost.pr, cost.runs, cost.failed, cost.seconds) == (7, 2, 1, 15.0)
        assert [(day.runs, day.failed, day.seconds) for day in store.days(0)] == [(2, 1, 15.0)]

    def test_failed_runs_are_told_newest_first_and_counted_without_being_read(self, store: Store) -> None:
        assert store.failed_runs("demo") == (0, 0.0)
        self.judge(store, "r-good", "a" * 40, CaseStatus.PASSED, ended=1_800_000_000.0)
        for number in range(9):  # more than are held at once
            self.judge(store, f"r-{number}", "a" * 40, CaseStatus.FAILED, ended=1_700_000_000.0 + number)
        assert [one.run for one in store.failures("demo")] == [f"r-{number}" for number in range(8, -1, -1)]
        assert store.failures("demo")[0].tests == ("bvt:join", "ut:pkg/price")
        assert store.failed_runs("demo") == (9, 1_700_000_008.0)
        assert (store.failures("other"), store.failed_runs("other")) == ([], (0, 0.0))

    def test_a_failed_category_is_told_by_its_name_which_may_look_like_a_parts(self, store: Store) -> None:
        for number, category in enumerate(("join", "join#2")):
            plan_json = json.dumps({"tasks": [{"id": "bvt:join#2", "category": category}]})
            run, failed = f"r-{number}", make_task("bvt:join#2", TaskState.FAILED)
            store.record_plan(
                run, plan_json, parent=None, pr_number=7, profile="demo", repo_commit="a" * 40, created=1.0
            )
            store.commit_run(make_summary(run, tasks=(failed,), ended=2.0 + number), [])
        assert [one.tests for one in store.failures("demo")] == [("bvt:join#2",), ("bvt:join",)]

    def test_a_failed_script_is_told_once_where_folders_have_its_categorys_name(self, store: Store) -> None:
        plan_json = json.dumps({"tasks": [{"id": "bvt:join", "category": "join"}]})
        store.record_plan("r-1", plan_json, parent=None, pr_number=7, profile="demo", repo_commit="a" * 40, created=1.0)
        for line in (7, 9):
            name, file = f"join/left/join/a.sql:{line}", "test/join/cases/join/left/join/a.sql"
            case = CaseResult(name, CaseStatus.FAILED, file=file)
            store.add_cases("r-1", [StoredCase(str(line), "bvt:join", 1, case)])
        store.commit_run(make_summary("r-1", tasks=(make_task("bvt:join", TaskState.FAILED),)), [])
        assert store.failures("demo")[0].tests == ("bvt:join/left/join/a.sql",)

    def test_cases_go_before_runs_and_what_waits_to_be_told_stays(self, store: Store) -> None:
        self.judge(store, "r-old", "a" * 40, CaseStatus.PASSED, ended=1_700_000_100.0)
        self.judge(store, "r-new", "a" * 40, CaseStatus.PASSED, ended=1_700_000_900.0)
        gone = store.forget(cases=1_700_000_500.0, runs=0, audit=0)
        assert (gone.cases, gone.runs) == (1, 0)
        assert (len(store.cases("r-old")), len(store.cases("r-new"))) == (0, 1)
        assert store.forget(cases=0, runs=1_700_000_500.0, audit=0).runs == 0, "its message has not left"
        for due in store.due(NOW, 10):
            store.sent(due.id)
        assert store.forget(cases=0, runs=1_700_000_500.0, audit=0).runs == 1
        assert [run.id for run in store.runs()] == ["r-new"]
        assert store.durations("demo"), "what was measured stays"

    def test_messages_that_tell_of_no_run_go_once_they_have_left_and_are_old(self, store: Store) -> None:
        for number, run in enumerate(["", "r-gone", "", ""]):
            created = 1_700_000_000.0 + number * 100
            store.enqueue([OutboxMessage(run, "wecom", "question", "{}", f"key-{number}")], created)
        first, second, _, last = store.due(NOW, 10)
        store.sent(first.id)
        store.give_up(second.id, "no such chat")
        store.sent(last.id)
        assert store.forget(cases=0, runs=1_700_000_250.0, audit=0).messages == 2
        assert [entry.message.key for entry in store.outbox()] == ["key-2", "key-3"], "one waits, one is young"


class SchemeContract:
    def test_what_was_written_is_there_for_the_next_process(self, store: Store, url: str) -> None:
        store.commit_run(make_summary(), [make_message()])
        with Store(url) as again:
            assert again.summary("r-0001") == make_summary()

    def test_a_newer_scheme_is_refused(self, store: Store, url: str) -> None:
        with store.writing() as session:
            session.execute(text("UPDATE mo_testplan_version SET version_num = '9999'"))
        with pytest.raises(InfrastructureError, match=r"revision 9999.*\n.*Upgrade"):
            Store(url)

    def test_migrations_and_models_say_the_same(self, store: Store) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        with store.reading() as session:
            options = {"version_table": migrations.VERSION_TABLE}
            context = MigrationContext.configure(session.connection(), opts=options)
            assert compare_metadata(context, Base.metadata) == []
            assert context.get_current_revision() == migrations.HEAD

    def test_a_database_from_before_revisions_is_brought_up_to_date(self, store: Store, url: str) -> None:
        from alembic import command

        with store.writing() as session:
            connection = session.connection()
            Base.metadata.drop_all(connection)
            session.execute(text("DROP TABLE mo_testplan_version"))
            command.upgrade(migrations.config(connection), "0001")
            session.execute(text("DROP TABLE mo_testplan_version"))
            session.execute(text("CREATE TABLE mo_testplan_scheme (version INTEGER)"))
            columns, row = "id, plan, profile, created, cost", "'r-0001', '', 'demo', 7.0, 0.0"
            session.execute(text(f"INSERT INTO runs ({columns}) VALUES ({row})"))  # noqa: S608
        with Store(url) as migrated:
            assert [run.id for run in migrated.runs()] == ["r-0001"]
            assert migrated.durations("demo") == {}
            migrated.audit("a", "cli", "run", "r", "done")
            with migrated.reading() as session:
                assert "mo_testplan_scheme" not in inspect(session.connection()).get_table_names()


class StoreContract(
    HistoryContract, CaseContract, OutboxContract, AuditContract, DurationContract, StatisticsContract, SchemeContract
):
    """All of it."""
