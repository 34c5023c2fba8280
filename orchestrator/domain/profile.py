"""What a project's tests are and how they run: the contents of ``config/<project>.yaml``.

Every field here is a key of the YAML file; ``docs/profile.md`` shows one with comments. Durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: Roles of people and programs, as files name them.
RoleName = Literal["viewer", "developer", "maintainer", "admin"]
#: Words of the profile for :class:`orchestrator.domain.plan.Priority`.
PriorityName = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A path prefix and the tests it calls for."""

    #: Matches every changed path that starts with it.
    prefix: str
    #: Go package directories; each means the package and all below it.
    unit_tests: tuple[str, ...] = ()
    #: Directories below the case tree.
    categories: tuple[str, ...] = ()
    priority: PriorityName = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTests:
    """How unit tests run."""

    #: ``pytest``: a "package" is a directory or file of tests, and ``{python}`` the worker's own interpreter.
    format: Literal["go-test-json", "pytest"] = "go-test-json"
    #: Package patterns and further flags are appended.
    command: tuple[str, ...] = ("go", "test", "-json")
    flags: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    #: What "everything" means when a change is in unknown territory.
    everything: tuple[str, ...] = ("...",)
    #: Outer deadline of one task.
    timeout: float = 2400.0
    #: Estimates before there is any history: set-up of a shard, one package, and packages that differ from it.
    setup_seconds: float = 20.0
    seconds_per_package: float = 8.0
    #: A package with many tests takes this times their number, if that is more.
    seconds_per_test: float = 0.1
    package_seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is made once a run, before its first shard, for all of them."""

    #: Run in the tree under test; none: there is nothing to build.
    command: tuple[str, ...] = ()
    #: Files and directories of the tree that it makes, and that every shard is to find.
    outputs: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    timeout: float = 1800.0
    #: Whose shards need it.
    suites: tuple[Literal["ut", "bvt", "sca"], ...] = ("ut", "bvt", "sca")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where SQL cases run."""

    #: ``dsn``: one that runs; ``mariadb``: a private MariaDB is started; ``embedded``: a server in process; ``launch``:
    #: ``command`` is started.
    provider: Literal["dsn", "mariadb", "embedded", "launch"] = "embedded"
    #: ``mysql://user:password@host:port`` for provider ``dsn``; ``MO_TESTPLAN_BVT_DSN`` wins over it. With
    #: ``launch`` it tells user and password.
    dsn: str | None = None
    #: The words that start a server, for provider ``launch``. Placeholders: ``{port}``, which it must listen on,
    #: ``{port2}`` … ``{port9}``, ``{directory}``, a private one it runs in, and ``{workspace}``, the tree under test.
    command: tuple[str, ...] = ()
    #: Files that ``command`` finds in its directory: path → text, with the same placeholders.
    files: dict[str, str] = field(default_factory=dict)
    #: How long a server may take to answer its first connection.
    startup_timeout: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bvt:
    """SQL regression cases."""

    #: The case tree, a directory of categories, relative to the repository.
    cases: str = "test/distributed/cases"
    #: Who reads in the code what SQL reaches it, for generation: ``none``, ``matrixone``, or an installed reader.
    surface: str = "none"
    server: Server = field(default_factory=Server)
    compare: Literal["compat", "strict", "both"] = "compat"
    #: Whether result set metadata (label, type, precision, scale) is compared.
    metadata: bool = True
    #: Whether ``-- @bvt:issue`` marks take commands out.
    ignore_issues: bool = True
    #: Whether foreign databases are dropped at the start of a shard. Only for servers that are nobody else's.
    reset_server: bool = False
    #: Categories that must run in this order, on one server, in one shard.
    order_groups: tuple[tuple[str, ...], ...] = ()
    #: Categories that have a shard, and with it a server, to themselves (and to the order group they are in).
    exclusive: tuple[str, ...] = ()
    #: Categories, and directories of them (``benchmark/tpch``), whose scripts need one another: never split.
    together: tuple[str, ...] = ()
    #: Known categories with their number of statements: the first estimate, and the tree when only a diff is at hand.
    categories: dict[str, int] = field(default_factory=dict)
    #: Categories, and cases (``category/path`` without extension), that every plan with a budget keeps.
    always: tuple[str, ...] = ()
    timeout: float = 4500.0
    statement_timeout: float = 120.0
    setup_seconds: float = 60.0
    seconds_per_statement: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyser:
    """A static analyser."""

    name: str
    #: ``{packages}`` becomes the changed packages (``./pkg/a ./pkg/b``), or what ``everything`` says when widened.
    command: tuple[str, ...]
    #: ``go-vet-json``, or ``lines``: the common ``file:line:col: message``.
    format: Literal["go-vet-json", "lines"] = "lines"
    env: dict[str, str] = field(default_factory=dict)
    timeout: float = 1200.0
    seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sca:
    """Static analysis: one task an analyser, whenever one of its files changes."""

    #: Glob patterns of the files that call for it.
    files: tuple[str, ...] = ("*.go",)
    analysers: tuple[Analyser, ...] = ()
    setup_seconds: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """How a plan is cut into shards and how a run is watched over."""

    #: Shards aim at this length, set-up included.
    shard_seconds: float = 600.0
    #: More shards than that needs are cut for a shorter wait, while all of them together take at most this share more.
    overhead: float = 0.25
    #: Task id → what a host must be good for: ``bvt:vector: gpu`` goes to workers with `--queues bvt.gpu`.
    labels: dict[str, str] = field(default_factory=dict)
    #: Workers assumed for the critical path.
    workers: int = 4
    #: A worker that has not been heard of for this long has lost its task.
    lease: float = 20.0
    #: Seconds after which the pull request that has waited longest is owed a quarter of a queue's places.
    patience: float = 120.0
    #: Tries at a task that infrastructure took down, the first included.
    attempts: int = 3
    #: Whether a test that fails is tried once more: one that passes then is flaky, and the run passes.
    confirm_failures: bool = True
    #: How long tests go on while Redis is down for everybody. A worker cut off alone ends them within its lease.
    cut_off: float = 120.0
    #: What a new push to a pull request, or its close, does to its older runs: ends them, ends what has not started, or
    #: nothing.
    supersede: Literal["all", "waiting", "nothing"] = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long history is kept, in days. Measured seconds are kept for good."""

    #: Single case results, the bulk of it.
    cases_days: float = 30.0
    #: Runs, their tasks and plans.
    runs_days: float = 365.0
    audit_days: float = 730.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComApp:
    """A self-built application: messages to persons, cards with buttons, commands by callback."""

    #: Both as the application's page shows them; empty: there is no application.
    corp_id: str = ""
    agent_id: int = 0
    #: Names of the environment variables that hold its secrets.
    secret_env: str = "MO_TESTPLAN_WECOM_APP_SECRET"  # noqa: S105 - a name
    token_env: str = "MO_TESTPLAN_WECOM_APP_TOKEN"  # noqa: S105 - a name
    aes_key_env: str = "MO_TESTPLAN_WECOM_APP_AES_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComBot:
    """An AI bot: commands and cards in groups.

    It is reached over a connection that the control process opens, or (a bot has one of both modes) calls ``serve``.
    """

    #: The bot's id; empty: there is no bot.
    id: str = ""
    url: str = "wss://openws.work.weixin.qq.com"
    #: Name of the environment variable that holds the secret of the long connection.
    secret_env: str = "MO_TESTPLAN_WECOM_BOT_SECRET"  # noqa: S105 - a name
    #: The same for the two secrets of its callback address.
    token_env: str = "MO_TESTPLAN_WECOM_BOT_TOKEN"  # noqa: S105 - a name
    aes_key_env: str = "MO_TESTPLAN_WECOM_BOT_AES_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeCom:
    """The group robot that tells of runs, and the channels that take commands."""

    #: Robot address, without its key; private deployments and the stand-in differ.
    base_url: str = "https://qyapi.weixin.qq.com"
    #: Name of the environment variable that holds the robot's key. No variable, no message.
    key_env: str = "MO_TESTPLAN_WECOM_KEY"
    #: Documented limit of a robot.
    per_minute: int = 20
    language: Literal["zh", "en"] = "zh"
    #: A run that takes longer is told of at a quarter, half and three quarters of its tasks; 0: every run is.
    progress_after: float = 300.0
    app: WeComApp = field(default_factory=WeComApp)
    bot: WeComBot = field(default_factory=WeComBot)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """Where pull requests live, and what they may set going by themselves."""

    #: ``owner/name``; empty: the project is not at GitHub.
    repository: str = ""
    #: GitHub Enterprise Server: ``https://HOST/api/v3``.
    base_url: str = "https://api.github.com"
    #: Names of the environment variables that hold a token, or an App's private key (PEM), and the webhook's secret.
    token_env: str = "MO_TESTPLAN_GITHUB_TOKEN"  # noqa: S105 - a name
    app_key_env: str = "MO_TESTPLAN_GITHUB_APP_KEY"
    webhook_secret_env: str = "MO_TESTPLAN_GITHUB_WEBHOOK_SECRET"  # noqa: S105 - a name
    #: The App's client id or number; empty: the token is used.
    app_id: str = ""
    #: Associations whose pull requests run without anybody asking; those of others get their plan told.
    run_for: tuple[str, ...] = ("OWNER", "MEMBER", "COLLABORATOR")
    #: A label, which only those with triage rights may set, that lets any pull request run.
    label: str = "run-tests"
    #: What an association may do in comments.
    roles: dict[str, RoleName] = field(
        default_factory=lambda: {"OWNER": "maintainer", "MEMBER": "maintainer", "COLLABORATOR": "developer"}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Autopilot:
    """What the autopilot may do by itself, and what it may spend on one change."""

    #: ``generate`` the cases the change lacks (they are proposed, not run), ``run`` the plan, run tasks ``again``, run
    #: what fails on the ``base`` commit; the rest ends in a question.
    may: tuple[Literal["generate", "run", "again", "base"], ...] = ("run", "again", "base")
    max_runs: int = 6
    #: Estimated, of all runs together.
    runner_minutes: float = 240.0
    #: Tries at a task that infrastructure took down, and runs in which a failure is seen before it is believed.
    infrastructure_tries: int = 3
    failures_seen: int = 2
    #: Where a question goes in the outbox, e.g. ``wecom``; empty: it is only said and recorded.
    ask: str = "wecom"
    #: Minutes to wait for one run.
    patience: float = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A project: its rules, suites and limits."""

    name: str
    #: A git directory or working clone that holds the pull requests; ``MO_TESTPLAN_REPO`` wins over it.
    repository: str | None = None
    base_branch: str = "main"
    #: Days by which a history model may be older than the change it is asked about.
    model_days: int = 60
    #: Glob patterns; a change in nothing else plans nothing.
    documentation: tuple[str, ...] = ("*.md",)
    rules: tuple[Rule, ...] = ()
    build: Build = field(default_factory=Build)
    unit_tests: UnitTests = field(default_factory=UnitTests)
    bvt: Bvt = field(default_factory=Bvt)
    sca: Sca = field(default_factory=Sca)
    dispatch: Dispatch = field(default_factory=Dispatch)
    retention: Retention = field(default_factory=Retention)
    wecom: WeCom = field(default_factory=WeCom)
    github: GitHub = field(default_factory=GitHub)
    autopilot: Autopilot = field(default_factory=Autopilot)
