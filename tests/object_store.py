"""An object store that speaks S3 over HTTP, in a process of its own: moto's server."""

import socket
import subprocess
import sys
import time
import urllib.request
from subprocess import DEVNULL
from types import TracebackType
from typing import Self

START_SECONDS = 30
BUCKET = "images"


class ObjectStore:
    """`with ObjectStore() as store:` serves an empty bucket until the block ends."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # What tools of this kind read from the environment.
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self.process.poll() is None, "the object store ended"
            assert time.monotonic() < deadline, "the object store did not start"
            time.sleep(0.05)
        self.empty()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def empty(self) -> None:
        """Forget everything, but for a bucket without anything in it."""
        for method, path in (("POST", "/moto-api/reset"), ("PUT", f"/{BUCKET}")):
            request = urllib.request.Request(self.url + path, method=method, data=b"")
            urllib.request.urlopen(request).close()
