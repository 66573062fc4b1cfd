"""Long texts are rendered in a process of their own: comrak lets no other thread run meanwhile, and
whatever a text does to the libraries, the blog goes on."""

import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from services.markdown.rendering import rendered
text = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(rendered(text).encode())
"""
MOST_SECONDS = 20
AT_ONCE = threading.BoundedSemaphore(2)  # each takes tens of megabytes


def render(text: str) -> str:
    """The HTML of a text. Raises OSError or SubprocessError if it cannot be made."""
    with AT_ONCE:
        done = subprocess.run(  # noqa: S603 - our own program, and the text is not in its arguments
            [sys.executable, "-c", PROGRAM, str(ROOT)],
            input=text.encode(),
            stdout=subprocess.PIPE,
            timeout=MOST_SECONDS,
            check=True,
        )
    return done.stdout.decode()
