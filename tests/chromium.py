"""A Chromium for the browser tests: found or, by `python -m tests.chromium`, installed."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

INSTALL_TIMEOUT = 300  # seconds that one command may take
CONNECT_TIMEOUT = 10_000  # milliseconds, then Playwright tries its next address

MISSING = (
    "The browser tests need a Chromium. Install one with "
    "`apt-get install chromium-headless-shell` (Debian) or with "
    f"`{sys.executable} -m playwright install --with-deps chromium-headless-shell`, "
    "or name yours: CHROMIUM_PATH=/path/to/chromium"
)
ON_PATH = (
    "chromium",
    "chromium-browser",
    "chromium-headless-shell",
    "google-chrome",
    "google-chrome-stable",
)
IN_PLAYWRIGHTS_FOLDER = (
    "chrome-*/chrome-headless-shell",
    "chrome-*/headless_shell",
    "chrome-*/chrome",
    "chrome-*/*.app/Contents/MacOS/*",
)


def find() -> str:
    """The path of an executable: $CHROMIUM_PATH, Playwright's own, or one on PATH."""
    path = _look_around()
    if not path:
        raise RuntimeError(MISSING)
    return path


def ensure() -> str:
    """The same, but where there is none this installs one first and says so."""
    for install in (_install_with_playwright, _install_with_apt):
        path = _look_around()
        if path:
            return path
        install()
    return find()


def _look_around() -> str | None:
    return _named() or _playwrights_own() or _on_path()


def _named() -> str | None:
    path = os.environ.get("CHROMIUM_PATH")
    if path and not shutil.which(path):
        raise RuntimeError(f"CHROMIUM_PATH={path} is no executable. Correct or unset it.")
    return path


def _playwrights_own() -> str | None:
    """The newest complete one. To ask Playwright instead takes half a second and a Node process."""
    caches = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or f"{caches}/ms-playwright")
    complete = [
        marker.parent
        for name in ("chromium_headless_shell", "chromium")
        for marker in folder.expanduser().glob(f"{name}-*/INSTALLATION_COMPLETE")
    ]
    complete.sort(key=lambda browser: int(browser.name.rpartition("-")[2]), reverse=True)
    executables = (
        path
        for browser in complete
        for pattern in IN_PLAYWRIGHTS_FOLDER
        for path in browser.glob(pattern)
    )
    return next(map(str, executables), None)


def _on_path() -> str | None:
    return next(filter(None, map(shutil.which, ON_PATH)), None)


def _install_with_playwright() -> None:
    """The browser before what it depends on: where it cannot be fetched, that ends at once."""
    playwright = (sys.executable, "-m", "playwright")
    if _run(*playwright, "install", "chromium-headless-shell") and os.geteuid() == 0:
        _run(*playwright, "install-deps", "chromium-headless-shell")


def _install_with_apt() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    _run("apt-get", "update")
    install = ("apt-get", "install", "--yes", "--no-install-recommends")
    if not _run(*install, "chromium-headless-shell"):
        _run(*install, "chromium")


def _run(*command: str) -> bool:
    """Whether it did its work in time. What it started ends with it, as a group of its own."""
    print("No Chromium yet:", *command, "...", flush=True)
    environment = {
        "DEBIAN_FRONTEND": "noninteractive",
        "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": str(CONNECT_TIMEOUT),
        **os.environ,
    }
    with subprocess.Popen(
        command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=INSTALL_TIMEOUT)
        except subprocess.TimeoutExpired:
            output = f"not done after {INSTALL_TIMEOUT} seconds".encode()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
    if process.returncode != 0:
        print("  failed:", _reason(output.decode(errors="replace")), flush=True)
    return process.returncode == 0


def _reason(log: str) -> str:
    lines = ["", *log.strip().splitlines()]
    return next((line for line in lines if line.startswith(("E: ", "Error: "))), lines[-1])


if __name__ == "__main__":
    try:
        print("Chromium:", ensure())
    except RuntimeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
