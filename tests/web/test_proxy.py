"""Who is asking, directly and behind proxies: told by the limit of wrong passwords per address."""

from collections.abc import Iterator

import pytest

from models import Login
from tests.blog import Blog, Person
from tests.people import ALICE
from web.proxy import client_network

MOST_FAILURES = 10
SPOOFED = ["6.6.6.{}", "6.6.6.{}, 7.7.7.{}", "unknown, 6.6.6.{}", "6.6.6.{},,,,", "::6:{}", "x{}"]


@pytest.fixture(scope="module")
def behind_one(running_blog: Blog) -> Iterator[Blog]:
    with running_blog.beside(trusted_proxies=1) as found:
        yield found


@pytest.fixture(scope="module")
def behind_two(running_blog: Blog) -> Iterator[Blog]:
    with running_blog.beside(trusted_proxies=2) as found:
        yield found


def guess(visitor: Person, number: int, **headers: str) -> int:
    """The status of a wrong password, for another name each time."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    form = {"username": f"somebody-{number}", "password": "not the password"}
    return visitor.post("/auth/login", form, headers=told).status_code


def spoofed(number: int) -> str:
    """What a client that would like to be many might send, another each time."""
    return SPOOFED[number % len(SPOOFED)].replace("{}", str(number))


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
def test_without_a_proxy_nobody_hides_behind_a_header(stranger: Person, header: str) -> None:
    statuses = [guess(stranger, number, **{header: spoofed(number)}) for number in range(12)]
    assert statuses == [401] * MOST_FAILURES + [429] * 2


def test_behind_one_proxy_only_its_own_entry_counts(blog: Blog, behind_one: Blog) -> None:
    visitor = behind_one.visitor()
    statuses = [
        guess(visitor, number, X_Forwarded_For=f"{spoofed(number)}, 1.2.3.4")
        for number in range(12)
    ]
    assert statuses == [401] * MOST_FAILURES + [429] * 2
    assert guess(visitor, 99, X_Forwarded_For="1.2.3.4, 1.2.3.5") == 401


def test_behind_two_proxies_the_outer_ones_entry_counts(blog: Blog, behind_two: Blog) -> None:
    visitor = behind_two.visitor()
    statuses = [
        guess(visitor, number, X_Forwarded_For=f"{spoofed(number)}, 1.2.3.4, 10.0.0.{number}")
        for number in range(12)
    ]
    assert statuses == [401] * MOST_FAILURES + [429] * 2
    assert guess(visitor, 99, X_Forwarded_For="1.2.3.4, 1.2.3.5, 10.0.0.1") == 401


def test_several_lines_are_one_list(blog: Blog, behind_one: Blog) -> None:
    visitor = behind_one.visitor()
    for number in range(MOST_FAILURES):
        lines = [("X-Forwarded-For", f"6.6.6.{number}"), ("X-Forwarded-For", "1.2.3.4")]
        form = {"username": f"somebody-{number}", "password": "not the password"}
        visitor.client.post("/auth/login", data=form, headers=lines)
    assert guess(visitor, 99, X_Forwarded_For="1.2.3.4") == 429


def test_a_proxy_that_names_nobody_is_itself_the_client(blog: Blog, behind_one: Blog) -> None:
    visitor = behind_one.visitor()
    statuses = [guess(visitor, number) for number in range(MOST_FAILURES)]
    assert statuses == [401] * MOST_FAILURES
    assert guess(visitor, 99) == 429
    assert guess(visitor, 99, X_Forwarded_For="not an address") == 429
    assert guess(visitor, 99, X_Forwarded_For="1.2.3.4") == 401


def test_all_addresses_of_an_ipv6_customer_are_one(blog: Blog, behind_one: Blog) -> None:
    visitor = behind_one.visitor()
    statuses = [
        guess(visitor, number, X_Forwarded_For=f"2001:db8:1:2::{number:x}")
        for number in range(MOST_FAILURES + 1)
    ]
    assert statuses == [401] * MOST_FAILURES + [429]
    assert guess(visitor, 99, X_Forwarded_For="2001:db8:1:3::1") == 401


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("1.2.3.4", 5), "1.2.3.4"),
        (("::ffff:1.2.3.4", 5), "1.2.3.4"),
        (("2001:db8:1:2:3:4:5:6", 5), "2001:db8:1:2::/64"),
        (("::1", 5), "::/64"),
        (("/run/blog.sock", 0), "unknown"),
        (("", 0), "unknown"),
        (None, "unknown"),
    ],
)
def test_addresses_are_counted_by_network(client: tuple[str, int] | None, network: str) -> None:
    assert client_network({"client": client}) == network


# The scheme, told by the header that only HTTPS gets.


def is_secure(blog: Blog, proto: str) -> bool:
    response = blog.visitor().get("/", headers={"X-Forwarded-Proto": proto})
    assert response.status_code == 200
    return "strict-transport-security" in response.headers


def test_without_a_proxy_nobody_may_tell_the_scheme(blog: Blog) -> None:
    assert not is_secure(blog, "https")


@pytest.mark.parametrize(
    ("proto", "secure"),
    [
        ("https", True),
        ("HTTPS", True),
        ("http", False),
        ("http, https", True),
        ("https, http", False),
        ("", False),
        ("javascript", False),
        ("https\thttps", False),
    ],
)
def test_behind_a_proxy_its_word_counts(
    blog: Blog, behind_one: Blog, proto: str, secure: bool
) -> None:
    assert is_secure(behind_one, proto) is secure


@pytest.mark.parametrize(
    ("proto", "secure"), [("https", True), ("https, http", True), ("https, http, http", False)]
)
def test_behind_two_proxies_the_outer_ones_word_counts(
    blog: Blog, behind_two: Blog, proto: str, secure: bool
) -> None:
    assert is_secure(behind_two, proto) is secure


def test_the_limit_ends_with_somebody_elses_address(
    alice: Person, blog: Blog, behind_one: Blog
) -> None:
    """The other side of it: one guesser does not lock the others out."""
    visitor = behind_one.visitor()
    for number in range(MOST_FAILURES + 1):
        guess(visitor, number, X_Forwarded_For="1.2.3.4")
    form = {"username": ALICE, "password": "a quay in the north"}
    for address, status in (("1.2.3.4", 429), ("1.2.3.5", 303)):
        response = Person(behind_one).post(
            "/auth/login", form, headers={"X-Forwarded-For": address}
        )
        assert response.status_code == status


@pytest.mark.parametrize("zone", ["eth0", "x" * 500, "?!"])
def test_a_zone_is_no_part_of_an_address(blog: Blog, alice: Person, zone: str) -> None:
    """Whoever sends it may write into it what they like (RFC 4007, section 11)."""
    with blog.beside(trusted_proxies=1) as proxied:
        person = Person(proxied, ALICE)
        person.client.headers["X-Forwarded-For"] = f"fe80::1%{zone}"
        assert person.log_in().status_code == 303
    assert "fe80::1" in {login.address for login in blog.rows(Login)}
