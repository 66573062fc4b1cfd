"""Confirming an address: by a link that works once, and without letting anybody in."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pytest

from models import AuditEvent, Login, Mail, MailToken, User, now
from services import audit
from services.notices import MOST_UNASKED
from services.verifications import LINKS_OF_PERSON
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, CAROL, MALLORY, PASSWORD
from tests.processes import at_once

ADDRESS = "bob@example.org"
DEAD = "This link does not work any more"


@pytest.fixture
def bob(alice: Person, blog: Blog) -> Person:
    """Has given an address, and not confirmed it."""
    person = Person(blog, BOB)
    person.register(email=ADDRESS)
    person.get("/")
    return person


@pytest.fixture(scope="module")
def strict_blog(running_blog: Blog) -> Iterator[Blog]:
    """The same blog, where nobody is let in before their address is confirmed."""
    with running_blog.beside(require_verified_email=True) as found:
        yield found


@pytest.fixture
def strict(alice: Person, strict_blog: Blog) -> Blog:
    return strict_blog


def user_named(blog: Blog, username: str) -> User:
    found: User = next(user for user in blog.rows(User) if user.username == username)
    return found


def is_confirmed(blog: Blog, username: str = BOB) -> bool:
    return user_named(blog, username).email_is_verified


def register(blog: Blog, username: str, email: str = ADDRESS) -> httpx2.Response:
    return Person(blog, username).register(email=email)


# The way through.


def test_who_registers_with_an_address_is_asked_to_confirm_it(bob: Person, blog: Blog) -> None:
    assert not is_confirmed(blog)
    assert "not confirmed yet" in bob.get("/settings/email").text
    link = blog.link_to(ADDRESS)
    page = bob.get(link).text
    assert ADDRESS in page
    assert f'action="{link}"' in page
    answer = bob.post(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/login")
    assert f"{ADDRESS} is confirmed." in bob.get("/").text
    assert is_confirmed(blog)
    assert "confirmed. It is never shown" in bob.get("/settings/email").text
    assert audit.EMAIL_VERIFIED in [event.action for event in blog.rows(AuditEvent)]


def test_who_gives_no_address_gets_no_mail(alice: Person, blog: Blog) -> None:
    assert not blog.rows(Mail)


def test_looking_at_a_link_confirms_nothing(bob: Person, blog: Blog) -> None:
    link = blog.link_to(ADDRESS)
    for method in ("GET", "HEAD", "OPTIONS"):
        blog.visitor().client.request(method, link)
    assert not is_confirmed(blog)


def test_a_link_lets_nobody_in(bob: Person, blog: Blog) -> None:
    visitor = blog.visitor()
    assert visitor.post(blog.link_to(ADDRESS)).status_code == 303
    assert is_confirmed(blog)
    assert not visitor.is_logged_in()


def test_a_link_makes_nobody_somebody_else(bob: Person, alice: Person, blog: Blog) -> None:
    logins = len(blog.rows(Login))
    assert alice.post(blog.link_to(ADDRESS)).status_code == 303
    assert is_confirmed(blog)
    assert "/users/alice" in alice.get("/").text
    assert not user_named(blog, ALICE).email
    assert len(blog.rows(Login)) == logins


def test_a_link_works_once(bob: Person, blog: Blog) -> None:
    link = blog.link_to(ADDRESS)
    assert at_once(4, lambda _: blog.visitor().post(link).status_code).count(303) == 1
    for answer in (bob.get(link), bob.post(link)):
        assert answer.status_code == 400
        assert DEAD in answer.text
    assert is_confirmed(blog)


def test_a_link_works_for_three_days(bob: Person, blog: Blog) -> None:
    [token] = blog.rows(MailToken)
    assert timedelta(days=2, hours=23) < token.expires_at - now() <= timedelta(days=3)
    blog.put(MailToken, expires_at=now())
    assert bob.post(blog.link_to(ADDRESS)).status_code == 400
    assert not is_confirmed(blog)


def test_a_link_for_a_new_password_confirms_nothing(bob: Person, blog: Blog) -> None:
    """The other way round."""
    blog.visitor().post("/auth/forgot", {"email": ADDRESS})
    link = blog.link_to(ADDRESS, "reset").replace("reset", "verify")
    assert bob.get(link).status_code == 400
    assert bob.post(link).status_code == 400
    assert not is_confirmed(blog)


def test_the_address_of_the_page_goes_nowhere(bob: Person, blog: Blog) -> None:
    answer = bob.get(blog.link_to(ADDRESS))
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in answer.headers["cache-control"]
    assert bob.get("/auth/verify/x").headers["referrer-policy"] == "no-referrer"


# Having it sent again.


def test_the_mail_is_sent_again(bob: Person, blog: Blog) -> None:
    """Three times in six hours; the newest link is the one that works."""
    first = blog.link_to(ADDRESS)
    assert ADDRESS in bob.get("/auth/verify").text
    answers = [bob.post("/auth/verify") for _ in range(LINKS_OF_PERSON.most + 1)]
    assert [answer.status_code for answer in answers] == [303] * LINKS_OF_PERSON.most + [429]
    assert len(blog.mails_to(ADDRESS)) == LINKS_OF_PERSON.most + 1
    assert bob.post(first).status_code == 400
    assert bob.post(blog.link_to(ADDRESS)).status_code == 303


def test_it_is_sent_to_nobody_else(bob: Person, blog: Blog) -> None:
    """Whoever sits down at an open browser cannot take the account away by its address."""
    bob.post("/auth/verify", {"email": "mallory@example.org"})
    assert user_named(blog, BOB).email == ADDRESS
    assert not blog.mails_to("mallory@example.org")


def test_a_stranger_has_nothing_sent(bob: Person, stranger: Person, blog: Blog) -> None:
    assert stranger.get("/auth/verify").status_code == 200
    answer = stranger.post("/auth/verify", {"email": ADDRESS})
    assert answer.headers["location"].startswith("/auth/login")
    assert len(blog.mails_to(ADDRESS)) == 1


def test_once_it_is_confirmed_nothing_is_sent(bob: Person, blog: Blog) -> None:
    bob.post(blog.link_to(ADDRESS))
    bob.post("/auth/verify")
    assert len(blog.mails_to(ADDRESS)) == 1
    assert "Your address is confirmed" in bob.get("/auth/verify").text


def test_without_an_address_there_is_nothing_to_send(alice: Person, blog: Blog) -> None:
    assert "There is no address" in alice.get("/auth/verify").text
    assert alice.post("/auth/verify").status_code == 303
    assert not blog.rows(Mail)


# An address that belongs to somebody else.


@pytest.fixture
def confirmed(bob: Person, blog: Blog) -> Person:
    bob.post(blog.link_to(ADDRESS))
    bob.get("/")
    return bob


def test_nobody_learns_that_an_address_is_taken(confirmed: Person, blog: Blog) -> None:
    """The account is made; its owner alone is told, with their own address on it."""
    answers, pages = [], []
    for name, email in (("somebody", "BOB@example.org"), ("newcomer", "new@example.org")):
        person = Person(blog, name)
        answer = person.register(email=email)
        answers.append((answer.status_code, answer.headers["location"], answer.content))
        person.get("/")
        for path in ("/settings/email", "/auth/verify", "/settings"):
            own = person.get(path).text.replace(email, "EMAIL").replace(name, "NAME")
            pages.append(re.sub(r'data-account="[^"]+"', "", own))
    assert answers[0] == answers[1]
    assert [text.replace("BOB@example.org", "EMAIL") for text in pages[:3]] == pages[3:]
    mail = blog.mails_to(ADDRESS)[-1]
    assert mail.subject == "You have an account on Inkstand"
    assert '"bob"' in mail.body
    assert "somebody@" not in mail.body
    assert "/auth/verify/" not in mail.body
    assert not blog.mails_to("BOB@example.org")


def test_nobody_else_can_confirm_a_taken_address(confirmed: Person, blog: Blog) -> None:
    mallory = Person(blog, MALLORY)
    mallory.register(email=ADDRESS)
    for _ in range(LINKS_OF_PERSON.most):
        assert mallory.post("/auth/verify").status_code == 303
    assert "/auth/verify/" not in blog.mails_to(ADDRESS)[-1].body
    assert not is_confirmed(blog, MALLORY)


def test_who_confirms_first_has_the_address(bob: Person, blog: Blog) -> None:
    """Of several who claimed it; the others keep what they had, and are told so."""
    links = [blog.link_to(ADDRESS)]
    for name in (CAROL, MALLORY):
        register(blog, name)
        links.append(blog.link_to(ADDRESS))
    statuses = at_once(3, lambda n: blog.visitor().post(links[n]).status_code)
    assert sorted(statuses) == [303, 409, 409]
    assert sum(is_confirmed(blog, name) for name in (BOB, CAROL, MALLORY)) == 1
    loser = links[statuses.index(409)]
    answer = blog.visitor().get(loser)
    assert answer.status_code == 409
    assert "Another account has confirmed this address" in answer.text


def test_a_confirmed_address_logs_in_whoever_else_gave_it(confirmed: Person, blog: Blog) -> None:
    register(blog, MALLORY)
    register(blog, CAROL)
    visitor = Person(blog, ADDRESS)
    assert visitor.log_in().status_code == 303
    assert "/users/bob" in visitor.get("/").text


def test_an_address_is_not_flooded_by_who_gives_it(alice: Person, blog: Blog) -> None:
    """In any spelling."""
    for number in range(MOST_UNASKED + 3):
        email = ("victim@example.org", "Victim@example.org")[number % 2]
        assert register(blog, f"writer-{number}", email).status_code == 303
    assert len(blog.rows(Mail)) == MOST_UNASKED


def test_a_flood_makes_no_link_worthless(bob: Person, blog: Blog) -> None:
    """What could not be replaced stays good."""
    link = blog.link_to(ADDRESS)
    for number in range(MOST_UNASKED):
        register(blog, f"writer-{number}")
    assert len(blog.mails_to(ADDRESS)) == MOST_UNASKED
    assert bob.post("/auth/verify").status_code == 303
    assert bob.post(link).status_code == 303
    assert is_confirmed(blog)


def test_an_owner_is_not_flooded_either(confirmed: Person, blog: Blog) -> None:
    for number in range(MOST_UNASKED + 3):
        register(blog, f"writer-{number}")
    assert len(blog.mails_to(ADDRESS)) == MOST_UNASKED


def test_an_address_that_grows_is_refused(alice: Person, blog: Blog) -> None:
    """Some letters stand for eighteen others in the form that is compared."""
    for email in ("\ufdfa" * 40 + "@example.org", "\ufdfa" * 60 + "@example.org"):
        assert register(blog, BOB, email).status_code == 422
        assert blog.visitor().post("/auth/forgot", {"email": email}).status_code == 422
        form = {"email": email, "password": PASSWORD}
        assert alice.post("/settings/email", form).status_code == 422


# A blog that lets nobody in unconfirmed.


def test_an_address_is_needed_there(strict: Blog) -> None:
    answer = Person(strict, BOB).register()
    assert answer.status_code == 422
    assert "we send a link there" in answer.text
    assert 'name="email"' in answer.text
    assert [user.username for user in strict.rows(User)] == [ALICE]


def test_the_owner_is_let_in_and_can_see_to_the_mails(blog: Blog, strict_blog: Blog) -> None:
    owner = Person(strict_blog, ALICE)
    answer = owner.register(email="alice@example.org")
    assert answer.headers["location"] == "/"
    assert owner.is_logged_in()
    assert owner.log_in_again().headers["location"] == "/"


def test_a_newcomer_is_let_in_once_the_address_is_confirmed(strict: Blog) -> None:
    newcomer = Person(strict, BOB)
    answer = newcomer.register(email=ADDRESS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/verify")
    assert "Look into your mail" in newcomer.get("/auth/verify").text
    assert not newcomer.is_logged_in()
    newcomer.post(strict.link_to(ADDRESS))
    assert not newcomer.is_logged_in()
    assert newcomer.log_in(next="/drafts").headers["location"] == "/drafts"
    assert newcomer.is_logged_in()


def test_unconfirmed_people_are_not_let_in(strict: Blog) -> None:
    newcomer = Person(strict, BOB)
    newcomer.register(email=ADDRESS)
    assert newcomer.log_in("not the password").status_code == 401
    answer = newcomer.log_in(remember="on")
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/verify")
    assert "remember" not in str(answer.headers.get_list("set-cookie"))
    assert not newcomer.is_logged_in()
    for path in ("/posts/new", "/settings/password", "/settings/email"):
        assert newcomer.get(path).headers["location"].startswith("/auth/login")
    assert len(strict.rows(Login)) == 1  # that of the owner


def test_who_waits_may_have_the_mail_sent_again(strict: Blog) -> None:
    newcomer = Person(strict, BOB)
    newcomer.register(email=ADDRESS)
    newcomer.log_in()
    assert ADDRESS in newcomer.get("/auth/verify").text
    assert newcomer.post("/auth/verify", {"email": ADDRESS}).status_code == 303
    assert len(strict.mails_to(ADDRESS)) == 2


def test_who_waits_may_correct_the_address(strict: Blog) -> None:
    newcomer = Person(strict, BOB)
    newcomer.register(email="bbo@example.org")
    wrong = strict.link_to("bbo@example.org")
    newcomer.log_in()
    assert newcomer.post("/auth/verify", {"email": "no address"}).status_code == 422
    newcomer.post("/auth/verify", {"email": ADDRESS})
    assert newcomer.post(wrong).status_code == 400
    newcomer.post(strict.link_to(ADDRESS))
    assert newcomer.log_in().headers["location"] == "/"


def test_who_had_no_address_when_the_rule_came_gives_one(bob: Person, strict: Blog) -> None:
    strict.put(User, email=None, email_key=None)
    newcomer = Person(strict, BOB)
    assert newcomer.log_in().headers["location"] == "/auth/verify"
    assert newcomer.get("/auth/verify").status_code == 200
    newcomer.post("/auth/verify", {"email": "late@example.org"})
    newcomer.post(strict.link_to("late@example.org"))
    assert newcomer.log_in().headers["location"] == "/"


def test_a_confirmed_address_is_not_corrected_that_way(strict: Blog) -> None:
    newcomer = Person(strict, BOB)
    newcomer.register(email=ADDRESS)
    newcomer.log_in()
    strict.visitor().post(strict.link_to(ADDRESS))
    newcomer.post("/auth/verify", {"email": "mallory@example.org"})
    assert user_named(strict, BOB).email == ADDRESS
    assert not strict.mails_to("mallory@example.org")


def test_nobody_learns_there_whose_address_is_known(strict: Blog) -> None:
    """Neither by the answer, nor by what can be done with the new name."""
    register(strict, BOB)
    strict.visitor().post(strict.link_to(ADDRESS))
    answers = []
    for name, email in ((MALLORY, ADDRESS), (CAROL, "new@example.org")):
        person = Person(strict, name)
        answer = person.register(email=email)
        again = Person(strict, name).register(email="other@example.org")
        entered = person.log_in()
        profile = person.get(f"/users/{name}")
        waiting = person.get("/auth/verify").text.replace(email, "EMAIL")
        answers.append(
            (
                (answer.status_code, answer.headers["location"], sorted(answer.headers)),
                again.status_code,
                (entered.status_code, entered.headers["location"]),
                profile.status_code,
                waiting,
            )
        )
    assert answers[0] == answers[1]
    assert strict.mails_to(ADDRESS)[-1].subject == "You have an account on Inkstand"
    assert not is_confirmed(strict, MALLORY)
