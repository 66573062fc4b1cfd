"""public/ under /static/: hashed names for ever, compressed once. Our own: Starlette's StaticFiles
neither hashes nor compresses, and a build step is what this blog does without."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brotli
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web.headers import header

PREFIX = "/static/"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"
COMPRESSIBLE = (".css", ".js", ".svg", ".txt", ".ico", ".webmanifest")
TYPES = {
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
}
# One style sheet out of many files, in an order that css/layers.css makes irrelevant.
BUNDLE = "css/site.css"
URL = re.compile(r'url\("\.\./([^"]+)"\)')
# `from "./tabs.js"` and `import "./tabs.js"`: modules name each other, as files of one folder.
IMPORT = re.compile(r'((?:^|\s)(?:from|import) )"\./([\w-]+\.js)"', re.M)


@dataclass(frozen=True)
class Asset:
    """One file in memory, with what a reply needs."""

    body: bytes
    suffix: str
    hashed: bool

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:12]

    @cached_property
    def encodings(self) -> dict[str, bytes]:
        if self.suffix not in COMPRESSIBLE:
            return {}
        return {"br": brotli.compress(self.body), "gzip": gzip.compress(self.body, mtime=0)}

    @property
    def content_type(self) -> str:
        kind = TYPES.get(self.suffix) or mimetypes.guess_type("x" + self.suffix)[0]
        is_text = self.suffix in (".css", ".js", ".svg", ".txt")
        return (kind or "application/octet-stream") + ("; charset=utf-8" if is_text else "")


class Assets:
    """Every file below `folder`, read once; `url("css/site.css")` gives its hashed address."""

    def __init__(self, folder: Path) -> None:
        self.by_path: dict[str, Asset] = {}
        self.hashed: dict[str, str] = {}
        self.folder = folder
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in files:
            if path.suffix == ".js":
                self.add_module(path.relative_to(folder).as_posix())
            elif path.suffix != ".css" and not path.name.startswith("."):
                self.add(path.relative_to(folder).as_posix(), path.read_bytes())
        styles = "\n".join(path.read_text("utf-8") for path in files if path.suffix == ".css")
        self.add(BUNDLE, URL.sub(self.rewritten, styles).encode())

    def add(self, name: str, body: bytes) -> None:
        suffix = Path(name).suffix
        asset = Asset(body, suffix, hashed=True)
        hashed = f"{name.removesuffix(suffix)}.{asset.digest}{suffix}"
        self.hashed[name] = PREFIX + hashed
        self.by_path[hashed] = asset
        self.by_path[name] = Asset(body, suffix, hashed=False)

    def add_module(self, name: str) -> None:
        """A script, after those that it imports, since their hashes become part of it."""
        if name in self.hashed:
            return
        path = self.folder / name

        def hashed(match: re.Match[str]) -> str:
            imported = path.with_name(match[2]).relative_to(self.folder).as_posix()
            self.add_module(imported)
            return f'{match[1]}"{self.url(imported)}"'

        self.add(name, IMPORT.sub(hashed, path.read_text("utf-8")).encode())

    def url(self, name: str) -> str:
        """The address of a file, e.g. "icons/icon.svg". Raises KeyError if there is none."""
        return self.hashed[name]

    def rewritten(self, match: re.Match[str]) -> str:
        return f'url("{self.url(match.group(1))}")'


class AssetMiddleware:
    """Answer /static/ before anything else looks at the request: no session, no database."""

    def __init__(self, app: ASGIApp, assets: Assets) -> None:
        self.app = app
        self.assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        asset = self.find(scope["path"])
        if asset is None:
            return await self.app(scope, receive, send)
        return await respond(asset, scope)(scope, receive, send)

    def find(self, path: str) -> Asset | None:
        if path == "/favicon.ico":
            return self.assets.by_path.get("icons/favicon.ico")
        if path.startswith(PREFIX):
            return self.assets.by_path.get(path.removeprefix(PREFIX))
        return None


def respond(asset: Asset, scope: Scope) -> Response:
    etag = f'"{asset.digest}"'
    headers = {
        "Cache-Control": FOR_EVER if asset.hashed else FOR_AN_HOUR,
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Content-Type": asset.content_type,
    }
    if header(scope, b"if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    accepted = {
        part.partition(";")[0].strip()
        for part in (header(scope, b"accept-encoding") or "").split(",")
    }
    for encoding, body in asset.encodings.items():
        if encoding in accepted:
            return Response(body, headers=headers | {"Content-Encoding": encoding})
    return Response(asset.body, headers=headers)
