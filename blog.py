"""Inkstand's one command. It needs nothing but Python 3.11: the first use builds .venv.

  python3 blog.py [serve] [--reload]   the site on http://127.0.0.1:8000 (HOST, PORT)
  python3 blog.py demo                 fill an empty blog
  python3 blog.py test [...]           prove it on real servers; arguments go to pytest
  python3 blog.py check [--fix]        format, lint, types, templates, import direction
  python3 blog.py COMMAND [...]        every other command: see below

INKSTAND_VENV=off uses the Python that runs this, as it is, and installs nothing.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one deserves a sentence
    sys.exit(f"Inkstand needs Python 3.11 or newer; this is Python {sys.version.split()[0]}.")

# An older Python must parse this file to get to that sentence: no syntax newer than 3.6 below.
import hashlib
import os
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from typing import NoReturn
from urllib.parse import unquote, urljoin, urlsplit

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
VENV_PYTHON = VENV / ("bin/python" if os.name == "posix" else "Scripts/python.exe")
UNFINISHED = VENV / "unfinished"
OWN_VENV = os.environ.get("INKSTAND_VENV") != "off"
PYTHON = str(VENV_PYTHON) if OWN_VENV else sys.executable

RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
FIXES = ("ruff check --fix-only .", "ruff format .")
CHECKS = (
    "ruff format --check .",
    "ruff check .",
    "mypy .",
    "djlint templates --lint",
    "pytest -q -n 0 tests/test_architecture.py",
)

INDEX = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
PIP_WHEEL = re.compile(r"\bpip-([\d.]+)-py3-none-any\.whl#sha256=([0-9a-f]{64})$")
NETWORK_TIMEOUT = 20  # seconds
LOG_TAIL = 3  # lines


def main(args: list[str]) -> NoReturn:
    os.chdir(HERE)
    if not args or args[0] == "--reload":
        args = ["serve", *args]
    if args[0] == "test":
        test(args[1:])
    if args[0] == "check":
        check(fix="--fix" in args)
    if args[0] in ("-h", "--help"):
        print(__doc__)
    ensure(RUNTIME)
    become("cli", *args)


def test(args: list[str]) -> NoReturn:
    ensure(RUNTIME, DEVELOPMENT)
    if not runs("tests.chromium"):
        sys.exit(1)
    become("pytest", *args)


def check(fix: bool) -> NoReturn:
    """Run every check, even after one has failed; exit with 1 when any did."""
    ensure(RUNTIME, DEVELOPMENT)
    failed = []
    for command in (*FIXES, *CHECKS) if fix else CHECKS:
        print(f"== {command}", flush=True)
        if not runs(*command.split()):
            failed.append(command)
    sys.exit("\n".join(["", "Failed:", *failed]) if failed else 0)


def runs(module: str, *args: str) -> bool:
    return subprocess.call([PYTHON, "-m", module, *args]) == 0


def become(module: str, *args: str) -> NoReturn:
    """Go on as that module: signals and the exit code are its own."""
    command = [PYTHON, "-m", module, *args]
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(PYTHON, command)
    sys.exit(subprocess.call(command))


def ensure(*files: str) -> None:
    """Return when .venv holds what these requirement files name: at once if it already does."""
    if not OWN_VENV or is_ready(files):
        return
    with lock():
        if is_ready(files):  # another blog.py saw to it while this one waited
            return
        print("Setting up .venv (once, about half a minute) ...", file=sys.stderr)
        if not is_whole():
            build()
        UNFINISHED.touch()
        install([option for file in files for option in ("-r", file)])
        for file in files:
            stamp(file).write_bytes(Path(file).read_bytes())
        UNFINISHED.unlink()


def is_ready(files: tuple[str, ...]) -> bool:
    return is_whole() and all(
        stamp(file).exists() and stamp(file).read_bytes() == Path(file).read_bytes()
        for file in files
    )


def is_whole() -> bool:
    """Whether an installation with this Python, in this place, was completed and none cut short."""
    complete = any(VENV.glob(f"*.{identity()}.stamp")) and not UNFINISHED.exists()
    return complete and VENV_PYTHON.exists()


def stamp(file: str) -> Path:
    """Where a requirement file is kept as it was when .venv last got all it names."""
    return VENV / f"{file}.{identity()}.stamp"


def identity() -> str:
    """A .venv is full of absolute paths: it serves one Python, in one place."""
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    return hashlib.sha256(ascii((python, sys.version, str(VENV))).encode()).hexdigest()[:16]


@contextmanager
def lock() -> Iterator[None]:
    """One installation at a time. An installer that outlives us inherits the lock and keeps it."""
    with open(HERE / ".venv.lock", "w") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
            os.set_inheritable(file.fileno(), True)
        yield


def build() -> None:
    try:
        import venv
    except ImportError:
        sys.exit("This Python lacks its venv module (Debian, Ubuntu: apt install python3-venv).")
    venv.create(VENV, clear=True, symlinks=os.name == "posix")


def install(options: list[str]) -> None:
    """With uv where it is at hand: several times faster. What stops it may not stop pip."""
    from shutil import which
    from tempfile import TemporaryDirectory

    uv = which("uv")
    index = ["--default-index", INDEX] if "PIP_INDEX_URL" in os.environ else []
    target = ["--python", PYTHON, "--compile-bytecode"]
    if uv and logged(uv, "pip", "install", *target, *index, *options).returncode == 0:
        return
    with TemporaryDirectory() as folder:
        pip = str(find_pip(Path(folder)) / "pip")
        result = logged(PYTHON, "-I", pip, "install", "--quiet", "--no-input", *options)
    if result.returncode != 0:
        give_up(result.stdout)


def logged(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # not closing files shares the lock
        command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, errors="replace", close_fds=False
    )


def find_pip(folder: Path) -> Path:
    """A wheel of pip, which runs as it is: the index's newest, else the one inside ensurepip.

    The newest is much the faster, and all there is on a bare Debian. The other gets through where
    only pip.conf knows the index, or where this Python has no certificates (macOS).
    """
    from http.client import HTTPException

    try:
        return download_pip(folder)
    except (OSError, ValueError, HTTPException) as error:
        for wheel in Path(os.__file__).parent.glob("ensurepip/_bundled/pip-*.whl"):
            return wheel
        give_up(f"Fetching pip from {urlsplit(INDEX).hostname} failed: {error}")


def download_pip(folder: Path) -> Path:
    """Save the newest wheel of pip for this Python; it must have the SHA-256 stated there."""
    page = INDEX.rstrip("/") + "/pip/"
    links = PipLinks()
    links.feed(fetch(page).decode())
    _, link, checksum = links.newest
    if not link:
        raise ValueError("no wheel for this Python")
    wheel = fetch(urljoin(page, link))
    if hashlib.sha256(wheel).hexdigest() != checksum:
        give_up("Refused the wheel of pip: its SHA-256 is not the one the index states.")
    path = folder / "pip.whl"
    path.write_bytes(wheel)
    return path


class PipLinks(HTMLParser):
    """Reads pip's page in an index (PEP 503) for its newest wheel: stable, not yanked, for us."""

    newest: tuple[list[int], str, str] = ([], "", "")  # version, link, SHA-256

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = dict(attrs)
        href, requires = link.get("href") or "", link.get("data-requires-python") or ""
        wheel, python = PIP_WHEEL.search(href), re.search(r">=\s*3\.(\d+)", requires)
        too_old = python and sys.version_info.minor < int(python[1])
        if tag == "a" and wheel and not too_old and "data-yanked" not in link:
            version = [int(part) for part in wheel[1].split(".")]
            self.newest = max(self.newest, (version, href, wheel[2]))


def fetch(url: str) -> bytes:
    """What is behind the URL. A login in it, which pip allows, goes into a header."""
    import ssl
    from urllib.request import Request, urlopen

    login, _, host = urlsplit(url).netloc.rpartition("@")
    request = Request(urlsplit(url)._replace(netloc=host).geturl(), headers={"Accept": "text/html"})
    if login:
        request.add_header("Authorization", f"Basic {b64encode(unquote(login).encode()).decode()}")
    trust = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    with urlopen(request, timeout=NETWORK_TIMEOUT, context=trust) as response:
        return bytes(response.read())


def give_up(log: str) -> NoReturn:
    """Nothing is half done here: pip and uv fetch everything before they change anything."""
    UNFINISHED.unlink()
    tail = log.splitlines()[-LOG_TAIL:]
    sys.exit("\n  ".join(["Could not install the requirements. Is the network reachable?", *tail]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"blog.py cannot go on: {error}")
