"""blog.py, started as people start it: on a small project, against an index on this machine.

The index offers a pip of a few lines. What it installs are modules that print their arguments.
"""

import ast
import functools
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from threading import Thread
from typing import Any

import pytest

LAUNCHER = Path(__file__).parents[1] / "blog.py"
NOWHERE = "http://127.0.0.1:9/simple"
TIMEOUT = 20  # seconds
KEPT_ENVIRONMENT = ("HOME", "LD_LIBRARY_PATH", "TMPDIR")  # no proxy, no settings of pip and uv

CLI = """
import json, sys
from importlib.util import find_spec
installed = [name for name in ("alpha", "beta") if find_spec(name)]
print(json.dumps({"args": sys.argv[1:], "prefix": sys.prefix, "installed": installed}))
sys.exit(7 if "fail" in sys.argv else 0)
"""
MODULE = """
import os, sys
print(__spec__.name, *sys.argv[1:], flush=True)
sys.exit(__spec__.name in os.environ.get("FAILING", "").split())
"""
PIP_MAIN = f"""
import pathlib, sys, sysconfig, time
site = pathlib.Path(sysconfig.get_path("purelib"))
files = [word for option, word in zip(sys.argv, sys.argv[1:]) if option == "-r"]
with open("installations", "a") as log:
    print("VERSION", *files, file=log)
for name in " ".join(pathlib.Path(file).read_text() for file in files).split():
    time.sleep({{"slow": 0.5, "endless": 60}}.get(name, 0))
    if name == "unknown":
        sys.exit("ERROR: No matching distribution found for unknown")
    (site / (name + ".py")).write_text({MODULE!r})
"""


class Index:
    """A package index that has only pip, the one thing the launcher fetches by itself."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.url = f"http://{address}/simple"
        self.behind_login = f"http://reader:p%40ss@{address}/private/simple"

    def offer(self, version: str, attributes: str = "", sha256: str | None = None) -> None:
        name = f"pip-{version}-py3-none-any.whl"
        with zipfile.ZipFile(self.folder / name, "w") as wheel:
            wheel.writestr("pip/__main__.py", PIP_MAIN.replace("VERSION", version))
        sha256 = sha256 or hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
        page = self.folder / "simple/pip/index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as links:
            links.write(f'<a href="../../{name}#sha256={sha256}" {attributes}>{name}</a><br>\n')


class IndexHandler(SimpleHTTPRequestHandler):
    """Below /private/ lies the same, for whoever has the login."""

    login = "Basic " + b64encode(b"reader:p@ss").decode()

    def do_GET(self) -> None:
        private = self.path.startswith("/private/")
        if private and self.headers["Authorization"] != self.login:
            return self.send_error(401)
        self.path = self.path.removeprefix("/private")
        return super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Project:
    """A folder with the launcher, a command line that tells what it sees, and one requirement."""

    def __init__(self, folder: Path, index: str) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        self.environment = {**kept, "PATH": str(folder / "programs"), "PIP_INDEX_URL": index}
        self.write("blog.py", LAUNCHER.read_text())
        self.write("cli.py", CLI)
        self.write("requirements.txt", "alpha")

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    @property
    def installations(self) -> list[str]:
        """One line for each: the version of pip and the files it was given."""
        log = self.folder / "installations"
        return log.read_text().splitlines() if log.exists() else []

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def start(self, *args: str, **environment: str) -> Popen[str]:
        command = [sys.executable, str(self.folder / "blog.py"), *args]
        environment = {**self.environment, **environment}
        return Popen(
            command,
            cwd="/",
            env=environment,
            stdout=PIPE,
            stderr=PIPE,
            text=True,
            preexec_fn=hear_ctrl_c,
        )

    def run(self, *args: str, **environment: str) -> CompletedProcess[str]:
        return end_of(self.start(*args, **environment))

    def cli(self, *args: str, **environment: str) -> dict[str, Any]:
        """What the command line saw, after a start that went well."""
        done = self.run(*args, **environment)
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen


def end_of(process: Popen[str]) -> CompletedProcess[str]:
    with process:
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    return CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    folder = tmp_path / "index"
    folder.mkdir()
    handler = functools.partial(IndexHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=[0.01]).start()
        index = Index(folder, f"127.0.0.1:{server.server_port}")
        index.offer("26.1")
        yield index
        server.shutdown()


@pytest.fixture
def project(tmp_path: Path, index: Index) -> Project:
    return Project(tmp_path / "a blog", index.url)


def test_the_first_start_builds_and_serves(project: Project) -> None:
    done = project.run()
    assert done.stderr == "Setting up .venv (once, about half a minute) ...\n"
    seen = json.loads(done.stdout)
    assert seen == {"args": ["serve"], "prefix": str(project.venv), "installed": ["alpha"]}


def test_a_second_start_installs_nothing(project: Project) -> None:
    project.run()
    done = project.run(PIP_INDEX_URL=NOWHERE)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(project.installations) == 1


def test_arguments_and_the_exit_code_pass_through(project: Project) -> None:
    done = project.run("import", "two words", "fail")
    assert json.loads(done.stdout)["args"] == ["import", "two words", "fail"]
    assert done.returncode == 7


def test_reload_alone_means_serve(project: Project) -> None:
    assert project.cli("--reload")["args"] == ["serve", "--reload"]


def test_help_tells_of_the_launcher_and_then_of_the_command_line(project: Project) -> None:
    done = project.run("--help")
    assert done.stdout.index("python3 blog.py test") < done.stdout.index('"args": ["--help"]')


def test_an_isolated_python_does_as_well(project: Project) -> None:
    command = [sys.executable, "-I", str(project.folder / "blog.py")]
    done = subprocess.run(command, env=project.environment, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0


def test_a_python_without_ensurepip_does_as_well(project: Project) -> None:
    stripped = project.write("stripped/ensurepip.py", "raise ImportError").parent
    assert project.cli(PYTHONPATH=str(stripped))["installed"] == ["alpha"]


def test_the_running_python_is_used_as_it_is_when_told_so(project: Project) -> None:
    assert project.cli(INKSTAND_VENV="off")["prefix"] == sys.prefix
    assert not project.venv.exists()


def test_changed_requirements_are_installed_on_top(project: Project) -> None:
    project.run()
    kept = project.write(".venv/kept", "")
    project.write("requirements.txt", "alpha beta")
    assert project.cli()["installed"] == ["alpha", "beta"]
    assert kept.exists()


def test_a_half_built_venv_heals(project: Project) -> None:
    leftover = project.write(".venv/bin/python", "cut sho")
    debris = project.write(".venv/debris", "")
    assert project.cli()["installed"] == ["alpha"]
    assert leftover.stat().st_size > len("cut sho")
    assert not debris.exists()


def test_a_moved_project_is_built_anew(project: Project, tmp_path: Path) -> None:
    project.run()
    project.folder = project.folder.rename(tmp_path / "elsewhere")
    assert project.cli()["prefix"] == str(tmp_path / "elsewhere/.venv")
    assert len(project.installations) == 2


@pytest.mark.parametrize("already_built", [False, True])
def test_ctrl_c_leaves_quietly_and_the_next_start_heals(
    project: Project, already_built: bool
) -> None:
    if already_built:
        project.run()
    project.write("requirements.txt", "alpha endless")
    process = project.start()
    wait_for(lambda: len(project.installations) == 1 + already_built)
    process.send_signal(signal.SIGINT)
    done = end_of(process)
    assert done.returncode == 130
    assert done.stderr.count("\n") == 1

    debris = project.write(".venv/debris", "")
    project.write("requirements.txt", "alpha")
    assert project.cli()["installed"] == ["alpha"]
    assert not debris.exists()


def test_two_first_starts_at_once_install_once(project: Project) -> None:
    project.write("requirements.txt", "alpha slow")
    starts = [project.start(), project.start()]
    assert [end_of(start).returncode for start in starts] == [0, 0]
    assert len(project.installations) == 1


def test_an_unreachable_index_gives_a_sentence(project: Project) -> None:
    done = project.run(PIP_INDEX_URL=NOWHERE, PIP_RETRIES="0")
    assert done.returncode == 1
    assert "Could not install the requirements. Is the network reachable?\n  " in done.stderr
    assert "Traceback" not in done.stderr


def test_what_worked_goes_on_working_when_an_installation_fails(project: Project) -> None:
    project.run()
    project.write("requirements.txt", "unknown")
    done = project.run()
    assert done.returncode == 1
    assert "No matching distribution found for unknown" in done.stderr

    project.write("requirements.txt", "alpha")
    assert project.cli(PIP_INDEX_URL=NOWHERE)["installed"] == ["alpha"]


def test_a_wheel_of_pip_with_another_sha256_is_refused(project: Project, index: Index) -> None:
    index.offer("26.2", sha256="0" * 64)
    done = project.run()
    assert done.returncode == 1
    assert "its SHA-256 is not the one the index states" in done.stderr
    assert project.installations == []


def test_the_newest_pip_that_is_stable_and_suits_is_taken(project: Project, index: Index) -> None:
    index.offer("9.0")
    index.offer("26.10", f'data-requires-python="{escape(">=3.9")}"')
    index.offer("26.11", f'data-requires-python="{escape(">=3.99")}"')
    index.offer("26.12", 'data-yanked="broken"')
    index.offer("27.0b1")
    project.run()
    assert project.installations == ["26.10 requirements.txt"]


def test_a_login_in_the_address_of_the_index_is_used(project: Project, index: Index) -> None:
    project.run(PIP_INDEX_URL=index.behind_login)
    assert project.installations == ["26.1 requirements.txt"]


def test_uv_is_used_where_it_is_at_hand(project: Project) -> None:
    write_program(project, "uv", 'echo uv "$@" >> installations')
    project.run()
    [installation] = project.installations
    assert installation.startswith(f"uv pip install --python {project.venv}/bin/python ")


def test_pip_helps_out_where_uv_fails(project: Project) -> None:
    write_program(project, "uv", "exit 1")
    assert project.cli()["installed"] == ["alpha"]


def test_tests_run_on_the_development_requirements_and_a_chromium(project: Project) -> None:
    project.write("requirements-dev.txt", "pytest")
    project.write("tests/chromium.py", "print('Chromium: here')")
    done = project.run("test", "-k", "two words")
    assert done.stdout == "Chromium: here\npytest -k two words\n"
    assert project.installations == ["26.1 requirements.txt requirements-dev.txt"]


def test_no_chromium_fails_the_tests(project: Project) -> None:
    project.write("requirements-dev.txt", "pytest")
    project.write("tests/chromium.py", "raise SystemExit('There is no Chromium.')")
    done = project.run("test")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no Chromium." in done.stderr


def test_after_the_tests_a_start_installs_nothing(project: Project) -> None:
    project.write("requirements-dev.txt", "pytest")
    project.write("tests/chromium.py", "")
    project.run("test")
    assert project.cli(PIP_INDEX_URL=NOWHERE)["installed"] == ["alpha"]


def test_every_check_runs_and_one_failure_fails_all(project: Project) -> None:
    project.write("requirements-dev.txt", "ruff mypy djlint pytest")
    assert project.run("check").returncode == 0

    done = project.run("check", FAILING="mypy")
    headings = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert [heading.split()[1] for heading in headings] == [
        "ruff",
        "ruff",
        "mypy",
        "djlint",
        "pytest",
    ]
    assert done.stderr == "\nFailed:\nmypy .\n"
    assert done.returncode == 1


def test_fixes_come_before_the_checks(project: Project) -> None:
    project.write("requirements-dev.txt", "ruff mypy djlint pytest")
    done = project.run("check", "--fix").stdout
    assert done.index("ruff format .") < done.index("ruff format --check .")


def test_an_older_python_can_read_the_sentence_for_it() -> None:
    ast.parse(LAUNCHER.read_text(), feature_version=(3, 7))


def write_program(project: Project, name: str, script: str) -> None:
    project.write(f"programs/{name}", f"#!/bin/sh\n{script}\n").chmod(0o755)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def hear_ctrl_c() -> None:
    """A shell that starts the tests in the background makes them, and their children, deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
