"""A login that turns up in another browser or on another network: what SESSION_PROTECTION does."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from models import AuditEvent, Login
from services import audit
from tests.blog import SECRET, Blog, Person
from tests.people import BOB, PASSWORD
from tests.sockets import ready, refused

HOME, AWAY = "203.0.113.5", "198.51.100.7"
LAPTOP, OTHER = "Firefox/150", "Chrome/160"
REMEMBER = "inkstand_remember"


@pytest.fixture(scope="module", params=["basic", "strong", "off"])
def level(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def protected(running_blog: Blog, level: str) -> Iterator[Blog]:
    """The same blog behind a proxy, with one of the levels."""
    with running_blog.beside(trusted_proxies=1, session_protection=level) as found:
        yield found


@pytest.fixture
def at_home(bob: Person, protected: Blog) -> Person:
    """Bob, who logs in where he always does."""
    person = Person(protected, BOB)
    person.client.headers.update({"User-Agent": LAPTOP, "X-Forwarded-For": HOME})
    assert person.log_in().status_code == 303
    return person


def elsewhere(person: Person, **headers: str) -> Person:
    """The same cookies, and the same headers but for some."""
    return person.copy(**{"User-Agent": LAPTOP, "X-Forwarded-For": HOME} | headers)


def is_in(person: Person) -> bool:
    return person.get("/drafts").status_code == 200


def is_fresh(person: Person) -> bool:
    response = person.get("/settings/two-factor")
    assert response.is_success or "/auth/confirm?next=" in response.headers["location"]
    return response.is_success


def protections(blog: Blog) -> list[str]:
    return [event.username for event in blog.rows(AuditEvent) if event.action == audit.PROTECTION]


@pytest.mark.parametrize("changed", [{"User-Agent": OTHER}, {"X-Forwarded-For": AWAY}])
def test_a_login_that_moved(at_home: Person, level: str, changed: dict[str, str]) -> None:
    """Basic: not fresh any more. Strong: over, in the browser it came from as well."""
    thief = elsewhere(at_home, **changed)
    if level == "strong":
        assert not is_in(thief)
        assert "inkstand_session" not in thief.client.cookies
        assert not is_in(at_home)
        assert protections(at_home.blog) == [BOB]
        return
    assert is_in(thief)
    assert is_fresh(thief) is (level == "off")
    assert is_in(at_home)
    assert is_fresh(at_home) is (level == "off")
    assert protections(at_home.blog) == []


def test_a_remembered_login_that_moved_is_not_fresh(at_home: Person, level: str) -> None:
    at_home.log_in_again(remember="7")
    thief = elsewhere(at_home, **{"User-Agent": OTHER})
    assert is_in(thief)
    assert is_fresh(thief) is (level == "off")
    assert REMEMBER in thief.client.cookies
    assert is_in(at_home)


def test_a_form_from_elsewhere_finds_the_login_over_too(at_home: Person, level: str) -> None:
    """The form's own transaction must not wait for the one that ends the login."""
    thief = elsewhere(at_home, **{"User-Agent": OTHER})
    response = thief.post("/posts", {"title": "From afar", "content": "Words."})
    is_refused = response.headers["location"].startswith("/auth/login")
    assert is_refused is (level == "strong")


def test_the_password_makes_it_fresh_where_it_is_now(at_home: Person, level: str) -> None:
    if level == "strong":
        return
    moved = elsewhere(at_home, **{"User-Agent": OTHER})
    assert moved.post("/auth/confirm", {"password": "wrong, all wrong"}).status_code == 401
    assert is_fresh(moved) is (level == "off")
    assert moved.post("/auth/confirm", {"password": PASSWORD}).status_code == 303
    assert is_fresh(moved)


def test_another_address_of_the_same_network_is_no_move(at_home: Person) -> None:
    nearby = elsewhere(at_home, **{"X-Forwarded-For": "203.0.113.99"})
    assert is_fresh(nearby)


def test_what_a_client_says_of_its_address_is_no_move(at_home: Person) -> None:
    """Only what the proxy itself has seen counts."""
    liar = elsewhere(at_home, **{"X-Forwarded-For": f"{AWAY}, {HOME}"})
    assert is_fresh(liar)


def test_without_a_proxy_nobody_moves_by_a_header(bob: Person, blog: Blog) -> None:
    with blog.beside(session_protection="strong") as strong:
        person = Person(strong, BOB)
        person.log_in()
        for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
            assert is_in(person.copy(**{header: AWAY})), header
            assert is_fresh(person.copy(**{header: AWAY})), header
    assert len(blog.rows(Login)) == 3


def test_a_new_key_is_no_move(bob: Person, blog: Blog) -> None:
    """Nor is it one when the old key goes, if they were here in between."""
    new, old = SecretStr("a newer secret, long enough to sign with too"), SecretStr(SECRET)
    person = bob.copy()
    for keys in ([old], [new, old], [new]):
        with blog.beside(session_protection="strong", secret_key=keys) as rotated:
            here = Person(rotated, BOB)
            here.client.cookies.update(person.client.cookies)
            assert is_in(here), keys
            assert is_fresh(here), keys
            person = here
    assert protections(blog) == []


def test_a_socket_is_opened_where_a_page_would_be(at_home: Person, level: str) -> None:
    here = {"X-Forwarded-For": HOME, "User-Agent": LAPTOP}
    with ready(at_home, **here):
        pass
    if level == "strong":
        assert refused(at_home, **here | {"X-Forwarded-For": AWAY}).status_code == 403
        return
    with ready(at_home, **here | {"X-Forwarded-For": AWAY}):
        pass
