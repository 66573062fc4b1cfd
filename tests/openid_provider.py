"""A provider on this machine: OpenID Connect, and beside it what GitHub does instead.

It is strict where a provider must be, and tests can make it lie: `provider.lie = "wrong nonce"`.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "blog", "a secret between the blog & its provider: 100%"
KEY = RSAKey.generate_key(2048, {"kid": "first"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "second"})
MAREN = {
    "sub": "248289761001",
    "name": "Maren Holm",
    "preferred_username": "maren",
    "email": "maren@example.org",
    "email_verified": True,
}
OCTOCAT = {"id": 583231, "login": "octocat", "name": "The Octocat", "email": None}
OCTOCATS_ADDRESSES = [
    {"email": "old@example.org", "primary": False, "verified": True},
    {"email": "octocat@example.org", "primary": True, "verified": True},
]

# What an ID token says instead of the truth.
LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "wrong nonce": lambda claims: {"nonce": "another"},
    "no nonce": lambda claims: {"nonce": None},
    "wrong audience": lambda claims: {"aud": "another-client"},
    "another audience beside us": lambda claims: {"aud": [CLIENT_ID, "another-client"]},
    "made for another party": lambda claims: {"azp": "another-client"},
    "wrong issuer": lambda claims: {"iss": "https://evil.example"},
    "no issuer": lambda claims: {"iss": None},
    "expired": lambda claims: {"exp": int(time.time()) - 120},
    "never expires": lambda claims: {"exp": None},
    "not valid yet": lambda claims: {"nbf": int(time.time()) + 3600},
    "from the future": lambda claims: {"iat": int(time.time()) + 3600},
    "no subject": lambda claims: {"sub": None},
    "an empty subject": lambda claims: {"sub": ""},
    "a subject that is a number": lambda claims: {"sub": 7},
    "a subject too long": lambda claims: {"sub": "7" * 256},
    "a subject that cannot be stored": lambda claims: {"sub": "7\0"},
    "another access token": lambda claims: {"at_hash": "bm90IHRoaXMgb25lISE"},
    "a list of nonces": lambda claims: {"nonce": [claims["nonce"]]},
}
HEADERS_THAT_LIE = {
    "no signature": "none",
    "signed with the client's secret": "HS256",
    "signed with the public key": "HS256",
    "another key of the same name": "RS256",
    "a key that nobody knows": "RS256",
}


class LocalProvider:
    """`with LocalProvider() as provider:` serves it on a free port until the block ends."""

    def __init__(self) -> None:
        self.reset()
        self.gate = threading.Event()
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize),
                Route("/elsewhere", self.elsewhere),
                Route("/approve", self.approve, methods=["POST"]),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.key_set),
                Route("/userinfo", self.userinfo),
                Route("/login/oauth/authorize", self.authorize),
                Route("/login/oauth/access_token", self.token, methods=["POST"]),
                Route("/user", self.github_user),
                Route("/user/emails", self.github_addresses),
                Route("/canary", self.canary),
            ]
        )
        config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def reset(self) -> None:
        """Honest, with Maren in front of it, and asked for nothing yet."""
        self.lie = ""
        self.broken: dict[str, Response] = {}  # by path
        self.slow: set[str] = set()  # paths that wait for the gate
        self.claims: dict[str, Any] = dict(MAREN)
        self.userinfo_claims: dict[str, Any] = {}
        self.octocat: dict[str, Any] = dict(OCTOCAT)
        self.addresses: Any = list(OCTOCATS_ADDRESSES)
        self.keys = [KEY]
        self.signs_with = KEY
        self.document: dict[str, Any] = {}  # what discovery says otherwise
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.authorization: dict[str, str] = {}  # what the browser brought last

    def __enter__(self) -> Self:
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive(), "the provider did not start"
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.gate.set()
        self.server.should_exit = True
        self.thread.join()

    @property
    def port(self) -> int:
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """By another name than the blog's, so that browsers take it for another site."""
        return f"http://localhost:{self.port}"

    @contextmanager
    def waiting(self, path: str) -> Iterator[None]:
        """Let whoever asks for this path wait until the block ends."""
        self.gate.clear()
        self.slow.add(path)
        try:
            yield
        finally:
            self.gate.set()
            self.slow.clear()

    def approved(self, address: str) -> str:
        """The path and query by which a browser comes back that was sent to `address`."""
        with httpx2.Client(trust_env=False, verify=False, follow_redirects=True) as browser:
            page = browser.get(address)
            assert page.status_code == 200, page.text
            answer = browser.post(
                f"{self.url}/approve?{urlsplit(str(page.url)).query}", follow_redirects=False
            )
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    async def canary(self, request: Request) -> Response:
        return await self.answer(request, JSONResponse({}))

    async def discovery(self, request: Request) -> Response:
        here = self.url
        document = {
            "issuer": here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            "userinfo_endpoint": f"{here}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            **self.document,
        }
        return await self.answer(request, JSONResponse(document))

    async def authorize(self, request: Request) -> Response:
        """Somewhere else first, as providers do whose people log in at their employer's."""
        query = request.query_params
        self.authorization = dict(query)
        is_github = request.url.path.startswith("/login")
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert len(query["state"]) >= 32
        assert query["code_challenge_method"] == "S256"
        assert ("nonce" in query) != is_github
        assert query["redirect_uri"].endswith("/callback")
        host = "127.0.0.1" if request.url.hostname == "localhost" else "localhost"
        return RedirectResponse(f"http://{host}:{self.port}/elsewhere?{query}")

    async def elsewhere(self, request: Request) -> Response:
        address = f"{self.url}/approve?{request.query_params}".replace("&", "&amp;")
        form = f'<form method="post" action="{address}"><button>Yes, it is me</button></form>'
        return HTMLResponse(f"<!doctype html><title>Provider</title><h1>Is it you?</h1>{form}")

    async def approve(self, request: Request) -> Response:
        query = request.query_params
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(query)
        back = urlencode({"code": code, "state": query["state"]})
        return RedirectResponse(f"{query['redirect_uri']}?{back}", 302)

    async def token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        fields = {name: values[0] for name, values in form.items()}
        given = self.codes.pop(fields.get("code", ""), None)
        problem = self.problem(request, fields, given)
        if problem:
            # GitHub says so with a 200.
            return await self.answer(
                request,
                JSONResponse({"error": problem}, 200 if "/oauth/" in str(request.url) else 400),
            )
        assert given
        token: dict[str, Any] = {
            "access_token": "access-" + secrets.token_hex(8),
            "token_type": "bearer",
        }
        if "nonce" in given:
            token["id_token"] = self.id_token(given["nonce"], token["access_token"])
        if self.lie == "no ID token":
            del token["id_token"]
        return await self.answer(request, JSONResponse(token))

    def problem(
        self, request: Request, fields: dict[str, str], given: dict[str, str] | None
    ) -> str:
        client = fields.get("client_id"), fields.get("client_secret")
        if basic := request.headers.get("authorization", "").removeprefix("Basic "):
            name, _, secret = base64.b64decode(basic).decode().partition(":")
            client = name, secret
        if client != (CLIENT_ID, CLIENT_SECRET) or self.lie == "another client":
            return "invalid_client"
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            given is None
            or given["code_challenge"] != challenge
            or given["redirect_uri"] != fields.get("redirect_uri")
        ):
            return "bad_verification_code" if "/oauth/" in str(request.url) else "invalid_grant"
        return ""

    def id_token(self, nonce: str, access_token: str) -> str:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
            "nonce": nonce,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.claims,
        }
        if self.lie in LIES:
            claims |= LIES[self.lie](claims)
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithm = HEADERS_THAT_LIE.get(self.lie, "RS256")
        if algorithm == "none":
            parts = ({"alg": "none", "kid": "first"}, claims)
            return ".".join(map(encoded, parts)) + "."
        key: Any = self.signs_with
        if self.lie == "signed with the client's secret":
            key = OctKey.import_key(CLIENT_SECRET)
        elif self.lie == "signed with the public key":
            key = OctKey.import_key(base64.b64encode(KEY.as_pem(private=False)).decode())
        elif self.lie in HEADERS_THAT_LIE:
            key = OTHER_KEY
        name = "second" if self.lie == "a key that nobody knows" else self.signs_with.kid
        header = {"alg": algorithm, "kid": name}
        return jwt.encode(header, claims, key, algorithms=[algorithm])

    async def key_set(self, request: Request) -> Response:
        keys = [key.as_dict(private=False) for key in self.keys]
        return await self.answer(request, JSONResponse({"keys": keys}))

    async def userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"].startswith("Bearer access-")
        return await self.answer(
            request, JSONResponse({"sub": self.claims["sub"], **self.userinfo_claims})
        )

    async def github_user(self, request: Request) -> Response:
        assert request.headers["authorization"].startswith("Bearer access-")
        assert request.headers["user-agent"]  # the real one refuses those that have none
        return await self.answer(request, JSONResponse(self.octocat))

    async def github_addresses(self, request: Request) -> Response:
        assert request.headers["authorization"].startswith("Bearer access-")
        return await self.answer(request, JSONResponse(self.addresses))

    async def answer(self, request: Request, honest: Response) -> Response:
        path = request.url.path
        self.asked.append(path)
        if path in self.slow:
            await asyncio.to_thread(self.gate.wait, 20)
        return self.broken.get(path, honest)


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def broken_answers(elsewhere: str) -> dict[str, Response]:
    """What comes from a provider that is down, or was replaced by something else."""
    return {
        "an error": PlainTextResponse("Internal Server Error", 500),
        "a page": HTMLResponse("<h1>Welcome to nginx!</h1>"),
        "a list": JSONResponse([1, 2]),
        "nothing": Response(b""),
        "no text": Response(b"\xff\xfe\x00", media_type="application/json"),
        "deep": Response(b"[" * 100_000, media_type="application/json"),
        "huge": Response(b'"' + b"x" * (2 * 1024 * 1024) + b'"', media_type="application/json"),
        "a way elsewhere": RedirectResponse(elsewhere, 302),
    }
