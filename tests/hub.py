"""A WebSub hub on this machine, which notes what it is told, and can refuse it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs


class LocalHub:
    """`with LocalHub() as hub:` serves it on a free port until the block ends."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.status = 204
        self.refused = "nothing"  # what is in the addresses for which it answers 404
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = parse_qs(body, strict_parsing=True)
                assert form["hub.mode"] == ["publish"]
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                hub.told += form["hub.url"]
                is_refused = hub.refused in form["hub.url"][0]
                self.send_response(404 if is_refused else hub.status)
                if hub.status == 302:
                    self.send_header("Location", f"{hub.url}elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def heard(self) -> list[str]:
        """What it was told since it was asked last, in order of the alphabet."""
        told, self.told = sorted(self.told), []
        return told

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
