"""Whatever is sent, the answer is a clear 4xx, the text stays in the form, nothing is half stored."""

import unicodedata
from collections.abc import Callable
from unittest.mock import patch
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Post, PostTag, Slug, Tag, User
from tests.blog import Blog, Person

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEPT = "Words that took an hour to write."


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", "", "Please fill this in."),
        ("title", " \t ", "Please fill this in."),
        ("title", "x" * 201, "At most 200 characters"),
        ("title", "nul\0here", "cannot be stored (U+0000)"),
        ("title", "bell\x07", "cannot be stored (U+0007)"),
        ("title", "new\nline", "cannot be in a line (U+000A)"),
        ("title", "next\x85line", "cannot be in a line (U+0085)"),
        ("title", "over\u202eride", "cannot be in a line (U+202E)"),
        ("title", "not a character \ufffe", "cannot be stored (U+FFFE)"),
        ("content", "", "Please write something."),
        ("content", "\r\n \r\n", "Please write something."),
        ("content", "nul\0here", "cannot be stored (U+0000)"),
        ("content", "é" * (256 * 1024 + 1), "At most 512 KB"),
        ("tags", "x" * 51, "At most 50 characters"),
        ("tags", ",".join(f"tag{n}" for n in range(11)), "At most 10 tags"),
        ("tags", "nul\0", "cannot be stored"),
        ("tags", "!!!", "needs a letter or a digit"),
        ("slug", "x" * 201, "At most 200 characters"),
        ("slug", "!!!", "Please use a few letters or digits."),
        ("action", "schedule-it", "not one of the choices"),
        ("idempotency_key", "k" * 65, "not one of ours"),
    ],
)
def test_a_bad_field_gets_a_sentence_and_the_form_again(
    alice: Person, blog: Blog, field: str, value: str, sentence: str
) -> None:
    fields = {"title": "A title", "content": KEPT, "tags": "one, two", field: value}
    answer = alice.post("/posts", fields)
    assert answer.status_code == 422
    if field not in ("action", "idempotency_key"):
        assert sentence in answer.text
    if field != "content":
        assert KEPT in answer.text
    assert nothing_is_stored(blog)


@pytest.mark.parametrize(
    "body",
    [
        b"title=%FF%FE&content=" + KEPT.encode(),
        b"title=%ED%A0%80&content=" + KEPT.encode(),
        b"title=\xc3\x28&content=" + KEPT.encode(),
        b"title=one&title=two&content=" + KEPT.encode(),
        b"content=" + KEPT.encode(),
        b"title=a&content=" + KEPT.encode() + b"&slug=%80",
    ],
)
def test_bytes_that_are_no_text_and_repeated_fields_are_422(
    alice: Person, blog: Blog, body: bytes
) -> None:
    answer = alice.client.post("/posts", content=body, headers=FORM)
    assert answer.status_code == 422
    assert KEPT in answer.text
    assert nothing_is_stored(blog)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"title": "x"}', 415),
        ("text/plain", b"title=x&content=y", 415),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 200), 400),
        ("multipart/form-data", b"no boundary", 400),
        ("multipart/form-data; boundary=b", b"--c\r\n\r\n--c--", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nbroken", 422),
    ],
)
def test_bodies_that_are_no_form_are_refused(
    alice: Person, blog: Blog, content_type: str, body: bytes, status: int
) -> None:
    answer = alice.client.post("/posts", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert nothing_is_stored(blog)


def test_a_form_may_come_as_multipart(alice: Person) -> None:
    parts = {name: (None, value) for name, value in {"title": "Parts", "content": "Words."}.items()}
    assert alice.client.post("/posts", files=parts).headers["location"] == "/posts/parts"


@pytest.mark.parametrize("path", ["/auth/login", "/users/register", "/posts"])
def test_what_takes_long_to_normalise_is_refused_before(alice: Person, path: str) -> None:
    marks = "a" + "\u0300\u0323" * 30_000
    for field in ("username", "email", "title", "tags"):
        who = alice if path == "/posts" else alice.blog.visitor()
        fields = {"username": "x", "password": "x", "title": "t", "content": "c", field: marks}
        with patch("unicodedata.normalize", side_effect=short_only(unicodedata.normalize)):
            assert who.post(path, fields).status_code in (401, 422, 303)


def short_only(normalize: Callable[..., str]) -> Callable[..., str]:
    """Python's own, which takes quadratic time for long runs of combining marks."""

    def checked(form: str, text: str) -> str:
        assert len(text) < 5_000
        return normalize(form, text)

    return checked


def test_the_limits_themselves_are_allowed(alice: Person, blog: Blog) -> None:
    fields = {
        "title": "ü" * 200,
        "content": "é" * (256 * 1024),
        "tags": ",".join(f"{n:02}".ljust(50, "x") for n in range(10)),
    }
    assert alice.post("/posts", fields).status_code == 303
    assert blog.rows(Post)[0].title == "ü" * 200


def test_content_is_kept_to_the_letter_but_for_the_newlines_of_forms(
    alice: Person, blog: Blog
) -> None:
    alice.write(content="  indented\r\n\ttab\r\n\r\ntrailing  \r\nlast\r\n")
    assert blog.rows(Post)[0].content == "  indented\n\ttab\n\ntrailing  \nlast\n"


def test_fields_that_are_not_in_the_form_are_ignored(
    alice: Person, bob: Person, blog: Blog
) -> None:
    bob.write(
        id="00000000-0000-0000-0000-000000000000",
        author_id=str(blog.rows(User)[0].id),
        published_at="2001-01-01",
        html="<script>alert(1)</script>",
        version="99",
    )
    post = blog.rows(Post)[0]
    bob_id = next(user.id for user in blog.rows(User) if user.username == "bob")
    assert (post.author_id, post.version, post.published_at.year > 2001) == (bob_id, 1, True)
    assert str(post.id) != "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("version", ["", "x", "0", "-1", "1e9", "9" * 40, "1.5", "NaN", "１"])
def test_a_version_that_is_no_number_is_422(alice: Person, version: str) -> None:
    slug = alice.draft(content=KEPT)
    answer = alice.edit(slug, version=version)
    assert answer.status_code in (409, 422)
    assert KEPT in answer.text
    assert alice.stored(slug).version == 1


@pytest.mark.parametrize(
    "path",
    [
        "/posts/%00",
        "/posts/%FF",
        "/posts/%ED%A0%80",
        "/posts/" + "x" * 5000,
        "/posts/not-a-uuid-0000",
        "/posts/00000000-0000-0000-0000-000000000000",
        "/posts/%E2%80%AE",
        "/posts/..%2f..%2fetc",
        "/users/%00",
        "/users/" + "9" * 400,
        "/tags/%00%01",
        "/tags/'%20OR%201=1--",
        "/%00",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%5csettings.py",
        "/.git/config",
        "/.env",
    ],
)
def test_addresses_that_make_no_sense_are_404(alice: Person, stranger: Person, path: str) -> None:
    assert stranger.get(path).status_code == 404
    assert alice.get(path).status_code == 404


@pytest.mark.parametrize("path", ["//evil.com/", "//evil.com/..", "/%2Fevil.com/", "/\\evil.com/"])
def test_no_slash_redirect_leaves_the_site(stranger: Person, path: str) -> None:
    answer = stranger.client.send(
        stranger.client.build_request("GET", stranger.blog.url + path), follow_redirects=False
    )
    location = answer.headers.get("location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_a_trailing_slash_is_forgiven(stranger: Person) -> None:
    answer = stranger.get("/auth/login/?next=/posts/new")
    assert (answer.status_code, answer.headers["location"]) == (301, "/auth/login?next=/posts/new")


def test_template_syntax_and_markup_in_every_field_come_out_as_text(
    alice: Person, stranger: Person
) -> None:
    nasty = "\"'><script>alert(1)</script>{{6*1234567}}"
    slug = alice.write(nasty, f"{nasty}\n\n{{{{6*1234567}}}}", tags="<b>&{{6*1234567}}")
    for address in (f"/posts/{slug}", "/", "/users/alice", "/drafts"):
        for who in (alice, stranger):
            page = who.get(address).text
            assert "<script>" not in page  # ours have a source
            assert "7407402" not in page
    assert "<script>" not in alice.get(f"/posts/{slug}/edit").text
    again = alice.post("/posts", {"title": nasty, "content": "", "tags": nasty, "slug": nasty})
    assert again.status_code == 422
    assert "<script>" not in again.text


def test_methods_that_a_page_does_not_have_are_405(alice: Person) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
        assert alice.client.request(method, "/posts").status_code == 405
    headers = {"X-HTTP-Method-Override": "DELETE"}
    assert alice.get("/posts/new?_method=DELETE", headers=headers).status_code == 200


def test_head_is_get_without_a_body(alice: Person, stranger: Person) -> None:
    slug = alice.write()
    for path in ("/", f"/posts/{slug}", "/nothing", "/posts/new", "/healthz"):
        stranger.get(path)  # the first answer of a route after a start is not compressed
        head, get = stranger.client.head(path), stranger.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers.get("content-length") == get.headers.get("content-length")


anything = st.text(max_size=60) | st.binary(max_size=60)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["title", "content", "tags", "slug", "action", "version", "next", "email", "password"]
        ),
        anything,
    ),
    address=anything,
)
def test_no_input_ever_causes_a_5xx(
    alice: Person, fields: dict[str, str | bytes], address: str | bytes
) -> None:
    pairs = [(name, encoded(value)) for name, value in fields.items()]
    body = urlencode(pairs)
    segment = quote(encoded(address), safe="")
    for path in (
        "/posts",
        "/auth/login",
        "/users/register",
        f"/posts/{segment}",
        "/auth/forgot",
        f"/auth/reset/{segment}",
        f"/auth/verify/{segment}",
        "/settings/email",
    ):
        assert alice.client.post(path, content=body, headers=FORM).status_code < 500
    for path in (
        f"/posts/{segment}",
        f"/tags/{segment}",
        f"/users/{segment}",
        f"/auth/reset/{segment}",
        f"/auth/verify/{segment}",
        f"/?before={segment}",
    ):
        assert alice.get(path).status_code < 500


def encoded(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def nothing_is_stored(blog: Blog) -> bool:
    return not any(blog.rows(model) for model in (Post, Slug, Tag, PostTag))


@pytest.mark.parametrize(
    "charset", ["undefined", "idna", "punycode", "raw-unicode-escape", "utf-7"]
)
@pytest.mark.parametrize("path", ["/posts", "/media", "/api/v1/media"])
def test_forms_are_utf_8_whatever_their_sender_says(alice: Person, charset: str, path: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n\\ud800\xff\r\n'
    file = part % (b"file", rb'; filename="\ud800\xff.png"')
    body = part % (b"title", b"") + part % (b"content", b"") + file * (path != "/posts") + b"--x--"
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    answer = alice.client.post(path, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 415


def test_whatever_an_editor_calls_itself_a_refused_text_is_kept(alice: Person) -> None:
    slug = alice.draft()
    alice.edit(slug, content="Saved meanwhile.")
    fields = {"title": "A title", "content": KEPT, "version": "1", "tab": "\0" * 100, "seen": "\0"}
    assert alice.post(f"/posts/{slug}", fields).status_code == 409
    assert KEPT in alice.get(f"/posts/{slug}/edit").text
