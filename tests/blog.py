"""A blog that runs, and people who use it as browsers do: over HTTP, with cookies."""

import re
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import redis
import uvicorn
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from sqlalchemy import text, update
from sqlmodel import SQLModel, select

from cli import MOST_MESSAGE_BYTES
from main import create_app
from models import Mail, Post, User
from settings import Settings
from tests import pictures
from tests.people import PASSWORD
from web.receive_deadline import DeadlineProtocol
from web.websocket_protocol import WebSocketProtocol

ROOT = Path(__file__).parent.parent
SECRET = "a secret for tests, long enough to sign with"


def blog_settings(**values: Any) -> Settings:
    """Settings for tests: nothing comes from the machine's environment, bcrypt is quick, and mails
    stay in the outbox."""
    values.setdefault("secret_key", [SecretStr(SECRET)])
    values.setdefault("bcrypt_cost", 4)
    values.setdefault("jobs", "worker")
    return Settings(_env_file=None, **values)


class Blog:
    """`with Blog(settings) as blog:` serves it on a free port until the block ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = create_app(settings)
        self.database = self.app.state.database
        self.people: list[Person] = []
        config = uvicorn.Config(
            self.app,
            port=0,
            http=DeadlineProtocol,
            ws=WebSocketProtocol,
            ws_max_size=MOST_MESSAGE_BYTES,
            lifespan="on",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> Self:
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive(), "the blog did not start"
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.send_everybody_home()
        self.server.should_exit = True
        self.thread.join()

    @property
    def port(self) -> int:
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def empty(self) -> None:
        """Forget everything: people, tables, sessions and counters."""
        self.send_everybody_home()
        # In the order of what refers to what. TRUNCATE would take ten times as long: it makes new
        # files for every table and index.
        tables = [table.name for table in reversed(SQLModel.metadata.sorted_tables)]
        deletions = [f"DELETE FROM {name}" for name in tables]
        if self.database.is_sqlite:
            deletions.insert(0, "PRAGMA defer_foreign_keys=ON")
        else:
            deletions = ["; ".join(deletions)]
        with self.database.writing() as db:
            for deletion in deletions:
                db.execute(text(deletion))
        self.app.state.pages.forget()
        self.app.state.site.forget()
        self.app.state.searches.limits.windows.clear()
        if self.settings.redis_url:
            with redis.Redis.from_url(self.settings.redis_url) as client:
                client.flushdb()

    def know_pages(self) -> None:
        """Read what every page says, and not again until it changes or all is emptied: for tests
        that count queries."""
        for known in (self.app.state.pages, self.app.state.site):
            known.now()
            known.good_until = float("inf")

    def send_everybody_home(self) -> None:
        while self.people:
            self.people.pop().client.close()

    def beside(self, **changes: Any) -> "Blog":
        """Another process with the same data and other settings; serve it with `with`."""
        return Blog(self.settings.model_copy(update=changes))

    def routes(self) -> set[tuple[str, str]]:
        """Method and path of everything the application answers, as ("POST", "/posts/{slug}")."""
        found = iter_route_contexts(self.app.routes)
        return {(method, each.path or "") for each in found for method in each.methods or ()}

    def paths(self, *methods: str, **known: str) -> set[tuple[str, str]]:
        """Method and a real path of every route; what is not `known` of a path is invented."""
        found = self.routes()
        wanted = {(method, path) for method, path in found if not methods or method in methods}
        return {(method, fill(path, known)) for method, path in wanted}

    def visitor(self) -> "Person":
        return Person(self)

    def person(self, username: str, role: str = "") -> "Person":
        """Somebody who has just registered, with the role given instead of the usual one."""
        person = Person(self, username)
        response = person.register()
        assert response.status_code == 303, response.text
        person.get("/")  # reads the word of welcome, so that pages can be compared
        if role:
            with self.database.writing() as db:
                db.execute(update(User).filter_by(username=username).values(role=role))
        return person

    def put(self, model: type[SQLModel], **values: Any) -> None:
        """Change every row of a table: the clock's hands, for instance."""
        with self.database.writing() as db:
            db.execute(update(model).values(**values))

    def rows(self, model: type[SQLModel]) -> list[Any]:
        """Everything in a table, the oldest first, for looking behind the scenes."""
        columns = SQLModel.metadata.tables[str(model.__tablename__)].columns
        age = [columns[name] for name in ("at", "created_at") if name in columns]
        number = [columns["id"]] if "id" in columns else []
        with self.database.reading() as db:
            return list(db.exec(select(model).order_by(*age, *number)))

    def mails_to(self, recipient: str) -> list[Mail]:
        """What the outbox holds or held for an address, the newest last."""
        found = [mail for mail in self.rows(Mail) if mail.recipient == recipient]
        return sorted(found, key=lambda mail: mail.created_at)

    def link_to(self, recipient: str, kind: str = "reset|verify") -> str:
        """The path of the newest link that was mailed to an address."""
        pattern = re.escape(self.settings.link_base) + rf"(/auth/(?:{kind})/\S+)"
        found = [re.findall(pattern, mail.body) for mail in self.mails_to(recipient)]
        path: str = next(links[0] for links in reversed(found) if links)
        return path


class Person:
    """One browser: cookies of its own, and verbs for what people do here."""

    def __init__(self, blog: Blog, username: str = "") -> None:
        self.blog = blog
        self.username = username
        blog.people.append(self)
        # No HTTPS here, and its certificates take 20 ms to load.
        self.client = httpx2.Client(base_url=blog.url, trust_env=False, verify=False, timeout=30)

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(path, **options)

    def post(
        self, path: str, data: dict[str, Any] | None = None, **options: Any
    ) -> httpx2.Response:
        return self.client.post(path, data=data or {}, **options)

    def register(self, password: str = PASSWORD, **fields: str) -> httpx2.Response:
        return self.post(
            "/users/register", {"username": self.username, "password": password, **fields}
        )

    def log_in(self, password: str = PASSWORD, **fields: str) -> httpx2.Response:
        return self.post("/auth/login", {"username": self.username, "password": password, **fields})

    def log_in_again(self, **fields: str) -> httpx2.Response:
        self.log_out()
        response = self.log_in(**fields)
        assert response.status_code == 303, response.text
        return response

    def log_out(self) -> httpx2.Response:
        return self.post("/auth/logout")

    def copy(self, **headers: str) -> "Person":
        """Another browser with the same cookies: a thief's, or the same one after a while."""
        other = Person(self.blog, self.username)
        other.client.cookies.update(self.client.cookies)
        other.client.headers.update(headers)
        return other

    def at(self, blog: Blog) -> "Person":
        """The same browser at another process of the same blog."""
        other = Person(blog, self.username)
        other.client.cookies.update(self.client.cookies)
        return other

    def lose_session(self) -> None:
        """The browser was closed, or the session is over; other cookies stay."""
        self.client.cookies.delete("inkstand_session")

    def is_logged_in(self) -> bool:
        return "Log out" in self.get("/auth/login", follow_redirects=True).text

    def write(self, title: str = "A post", content: str = "Some words.", **fields: str) -> str:
        """Write a post; its slug. Published unless `action` says otherwise."""
        response = self.post("/posts", {"title": title, "content": content, **fields})
        assert response.status_code == 303, response.text
        return slug_in(response)

    def draft(self, title: str = "A draft", content: str = "Not yet.", **fields: str) -> str:
        return self.write(title, content, action="draft", **fields)

    def edit(self, slug: str, /, **fields: Any) -> httpx2.Response:
        """Send the edit form with some fields changed; `action` is "save" unless given."""
        post = self.stored(slug)
        current = {"title": post.title, "content": post.content, "version": post.version}
        return self.post(f"/posts/{slug}", {**current, "action": "save", **fields})

    def upload(
        self, data: bytes, name: str = "sunset.jpg", path: str = "/media", **fields: str
    ) -> httpx2.Response:
        """Send an image as a script does."""
        return self.client.post(path, files={"file": (name, data)}, data=fields)

    def image(self, data: bytes | None = None, **fields: str) -> dict[str, Any]:
        """Put an image into the library; what the blog says of it."""
        response = self.upload(data or pictures.photo(), **fields)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    def stored(self, slug: str) -> Post:
        found: Post = next(post for post in self.blog.rows(Post) if post.slug == slug)
        return found


INVENTED = "00000000-0000-4000-8000-000000000000"


def fill(path: str, known: dict[str, str]) -> str:
    """“/posts/{slug}” with its parameters replaced."""
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: known.get(found[1], INVENTED), path)


def slug_in(response: httpx2.Response) -> str:
    """The slug of the post or page that a redirect leads to."""
    found = re.fullmatch(r"(?:/posts)?/([^/]+)(/edit)?", response.headers["location"])
    assert found, response.headers["location"]
    return found.group(1)
