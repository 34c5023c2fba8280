"""Serve agents over the Model Context Protocol: on standard input (the default) or over HTTP.

On standard input the caller is who started it, with the role and budget of the options. Over HTTP, at /mcp, every
request needs a token of tokens.yaml (`mo-testplan token`), which says role and budget.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orchestrator.cli import edge, life
from orchestrator.cli.services import make_service
from orchestrator.domain.errors import EXIT_PASSED, ToolMissingError, UsageError
from orchestrator.domain.options import port, positive
from orchestrator.service.caller import Budget, Caller, Role
from orchestrator.service.cases import CaseLibrary
from orchestrator.service.generation import Generation
from orchestrator.settings import check_profile

if TYPE_CHECKING:
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.requests import Request


#: Options of one transport alone, and what stands for those that are left out.
_OF_THE_CALLER = ("role", "runs", "runner_minutes")
_OF_THE_ADDRESS = ("host", "port", "public_url")
_DEFAULTS = {"host": "127.0.0.1", "port": 8601, "role": "viewer"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mcp``."""
    parser.add_argument("--profile", default="matrixone", help="profile it serves (default matrixone)")
    parser.add_argument("--read-only", action="store_true", help="take no orders, whoever calls")
    parser.add_argument("--transport", choices=["stdio", "http"], default="stdio", help="default: stdio")
    parser.add_argument("--host", help="address to listen on with http (default 127.0.0.1)")
    parser.add_argument("--port", type=port, help="port to listen on with http (default 8601)")
    parser.add_argument("--public-url", metavar="URL", help="address callers use, when a proxy is in front")
    roles = [role.label for role in Role if role is not Role.NONE]
    parser.add_argument("--role", choices=roles, help="of the caller on stdio (default viewer)")
    parser.add_argument("--runs", type=positive, metavar="N", help="runs the caller on stdio may start a day")
    parser.add_argument("--runner-minutes", type=positive, metavar="N", help="… and estimated runner-minutes")
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve until the caller goes, or until told to stop."""
    try:
        from orchestrator.mcp.desk import McpDesk
        from orchestrator.mcp.server import ServiceTokens, make_server
    except ModuleNotFoundError as error:
        raise ToolMissingError(
            f"mcp needs the {error.name} package", "Install it with: pip install 'mo-testplan[mcp]'"
        ) from None
    _check(args)
    url = _url(args)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)  # stdout is the protocol's
    config = edge.settings()
    profile = check_profile(args.profile, config)
    service = make_service(profile, config)
    service.ledger.ping()
    cases, generation = CaseLibrary(profile, Path(config.state)), Generation(profile)
    if args.transport == "stdio":
        budget = Budget(runs=args.runs, runner_minutes=args.runner_minutes)
        caller = Caller(f"mcp:{edge.who()}", "mcp", Role[args.role.upper()], budget)
        make_server(McpDesk(service, cases, generation, lambda: caller, args.read_only)).run("stdio")
        return EXIT_PASSED
    life.end_with_stdin(args.until_eof)
    tokens = ServiceTokens(service)
    server = make_server(McpDesk(service, cases, generation, tokens.now, args.read_only), tokens, url)
    edge.say(f"agents call {url}/mcp")
    _listen(server, args, url)
    return EXIT_PASSED


def _check(args: argparse.Namespace) -> None:
    """Refuse options of the other transport, which would be passed over in silence; the rest gets its defaults."""
    other, remedy = (
        (_OF_THE_CALLER, "Over HTTP the caller's token says it: `mo-testplan token`.")
        if args.transport == "http"
        else (_OF_THE_ADDRESS, "Standard input has no address: add --transport http.")
    )
    said = next((name for name in other if getattr(args, name) is not None), None)
    if said is not None:
        raise UsageError(f"--{said.replace('_', '-')} is not for --transport {args.transport}", remedy)
    for name, value in _DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.port == 0:
        from workers.servers.owned import free_port

        args.port = free_port()  # requests are to name it


def _url(args: argparse.Namespace) -> str:
    """The address callers use."""
    from pydantic import AnyHttpUrl

    url = args.public_url or f"http://{_host(args)}"
    try:
        parts = urlsplit(url)
        good = AnyHttpUrl(url).host and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{url[:200]!r} is no address of a server", "Write it as https://mcp.example.com.")
    return str(url)


def _host(args: argparse.Namespace) -> str:
    """Where it listens, as an address names it: IPv6 stands in brackets."""
    return f"[{args.host}]:{args.port}" if ":" in args.host else f"{args.host}:{args.port}"


def _security(args: argparse.Namespace, url: str) -> TransportSecuritySettings:
    """Which hosts a request may name, and which origins a page that sends one may have."""
    from mcp.server.transport_security import TransportSecuritySettings

    hosts = [urlsplit(url).netloc, _host(args), f"localhost:{args.port}", f"127.0.0.1:{args.port}"]
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


def _listen(server: object, args: argparse.Namespace, url: str) -> None:
    import uvicorn
    from mcp.server import MCPServer
    from starlette.responses import Response

    assert isinstance(server, MCPServer)  # noqa: S101 - made above

    async def healthy(_: Request) -> Response:
        """For a load balancer: it listens."""
        return Response("ok\n", media_type="text/plain")

    server.custom_route("/healthz", methods=["GET"])(healthy)
    app = server.streamable_http_app(stateless_http=True, json_response=True, transport_security=_security(args, url))
    uvicorn.run(app, host=args.host, port=args.port, log_level="warning", timeout_graceful_shutdown=3)
