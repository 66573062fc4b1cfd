"""Commands for whoever runs the blog. `python3 blog.py <command>` starts them in its own .venv."""

import gc
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import accounts, archives, searching
from commands.opening import open_database
from settings import ROOT, load_settings

if TYPE_CHECKING:  # heavy, and not every command or process needs it
    import uvicorn

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Run and look after the blog.",
    pretty_exceptions_enable=False,
)
GRACE_SECONDS = 8
MOST_CONNECTIONS = 1_000
MOST_MESSAGE_BYTES = 1024 * 1024  # a WebSocket that sends more is closed (1009)
PING_SECONDS = 20  # a WebSocket that does not answer for as long is gone


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on; PORT.")] = -1,
    workers: Annotated[int, typer.Option(help="Processes; WEB_CONCURRENCY.")] = 0,
    reload: Annotated[bool, typer.Option(help="Restart when a file changes.")] = False,
) -> None:
    """Serve the blog."""
    import uvicorn

    settings = load_settings()
    host, port = host or settings.host, settings.port if port < 0 else port
    workers = 1 if reload else workers or settings.web_concurrency
    check_address(host, port)
    signal.signal(signal.SIGTERM, stop_when_asked)
    options: dict[str, Any] = {
        "app": "main:app",
        "host": host,
        "port": port,
        "workers": workers,
        "http": "web.receive_deadline:DeadlineProtocol",
        "lifespan": "on",
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,
        "server_header": False,
        "limit_concurrency": MOST_CONNECTIONS,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "ws": "web.websocket_protocol:WebSocketProtocol",
        "ws_max_size": MOST_MESSAGE_BYTES,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "ws_per_message_deflate": False,  # what we send is small, and each would cost memory
    }
    print(f"Inkstand is at http://{host}:{port} (stop it with Ctrl-C)", flush=True)
    try:
        if reload:
            uvicorn.run(**options, reload=True, reload_dirs=[str(ROOT)])
        elif workers > 1:
            run_workers(uvicorn.Config(**options))
        else:
            load_app()
            uvicorn.run(**options)
    except KeyboardInterrupt:
        sys.exit(130)


def run_workers(config: "uvicorn.Config") -> None:
    """Several processes on one port, which is closed as soon as they stop.

    uvicorn alone would keep it open until the last of them has gone, so that whoever connects
    meanwhile waits for nobody; and it would call a start that failed a success.
    """
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        def terminate_all(self) -> None:
            for listener in self.sockets:
                listener.close()
            super().terminate_all()

    workers = Workers(config, [config.bind_socket()])
    workers.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in workers.processes):
        sys.exit(STARTUP_FAILURE)


def check_address(host: str, port: int) -> None:
    """Raises SystemExit with a sentence when nobody can listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        sys.exit(
            f"Inkstand cannot listen on {host}:{port}: {error.strerror}. "
            "Choose another address by HOST and PORT, or stop what is using this one."
        )


def stop_when_asked(*_: object) -> None:
    """SIGTERM is a wish, not an accident: uvicorn finishes what is in flight, and we exit with 0."""
    sys.exit(0)


def load_app() -> None:
    """Import the application without looking for garbage, since what imports make is to stay."""
    gc.disable()
    import_module("main")
    gc.freeze()
    gc.enable()


@app.command()
def worker() -> None:
    """Send mails and sweep up, where JOBS=worker keeps that out of the web process."""
    from database import Database
    from jobs import Jobs
    from web.access_log import set_up_logging

    settings = load_settings()
    if settings.jobs == "web":
        sys.exit("The web process does the jobs itself. Set JOBS=worker for both, and start again.")
    set_up_logging(settings.in_production)
    print("The worker waits for something to do (stop it with Ctrl-C)", flush=True)
    Jobs(settings, Database(settings.database_url), is_worker=True).work()


@app.command()
def migrate() -> None:
    """Bring the database up to date. Safe to run any time, by several at once."""
    import migrations

    changed = migrations.upgrade(open_database(load_settings()))
    print("The database is migrated." if changed else "The database is up to date.")


@app.command()
def demo(
    posts: Annotated[int, typer.Option(help="More posts, for benchmarks.")] = 0,
) -> None:
    """Fill an empty blog with a dozen posts, for a first look."""
    import migrations
    from services import demo as content

    settings = load_settings()
    database = open_database(settings)
    migrations.upgrade(database)
    with database.writing() as db:
        if not content.is_empty(db):
            sys.exit("This blog has accounts already, so the demo leaves it alone.")
        filled = content.fill(db, settings, copies=posts)
    print(f"{filled.posts} posts by {filled.authors} authors are in.")
    print(f"Log in as {filled.username} with the password {filled.password}")


app.command()(accounts.user)
app.command()(accounts.password)
app.command()(archives.export)
app.command("import")(archives.import_)
app.command()(searching.index)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    app(prog_name="python3 blog.py")
