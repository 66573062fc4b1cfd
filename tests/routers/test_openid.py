"""Logging in by way of another service, against a real provider on this machine."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from models import AuditEvent, Identity, Login, Mail, User
from services import audit, trips
from tests.blog import ROOT, Blog, Person
from tests.openid_provider import (
    MAREN,
    LocalProvider,
)
from tests.openid_world import (
    depart,
    forget,
    knowing,
    nobody_came_in,
    owners,
    parameters,
    register_by,
    there_and_back,
    user,
)
from tests.people import ALICE, BOB, PASSWORD
from tests.processes import at_once, environment

VERIFIED = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = str(MAREN["email"])
CALLBACK = "/auth/openid/oidc/callback"


# Off until configured.


def test_without_a_provider_nothing_shows(stranger: Person, alice: Person) -> None:
    for path in ("/auth/login", "/users/register"):
        assert "Continue with" not in stranger.get(path).text
    assert "/settings/identities" not in alice.get("/settings").text
    assert stranger.post("/auth/openid/github").status_code == 404
    assert stranger.get("/auth/openid/github/callback?state=x&code=y").status_code == 404
    assert alice.post("/settings/identities/github").status_code == 404
    assert "No other service is set up" in alice.get("/settings/identities").text


@pytest.mark.parametrize("configured", [False, True])
def test_the_libraries_are_not_loaded_before_somebody_needs_them(configured: bool) -> None:
    code = (
        "import sys, main; "
        "print([m for m in sys.modules if m.partition('.')[0] in ('authlib', 'joserfc')], "
        "'backends.openid.connect' in sys.modules)"
    )
    known = {
        "OIDC_ISSUER": "https://id.example.org",
        "OIDC_CLIENT_ID": "blog",
        "OIDC_CLIENT_SECRET": "x",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(**(known if configured else {})),
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == f"[] {configured}", done.stderr


def test_the_buttons_are_there_for_what_is_configured(maren: Person) -> None:
    for path in ("/auth/login?next=/posts/new", "/users/register?next=/posts/new"):
        page = maren.get(path).text
        assert "Continue with Harbour office" in page
        assert "Continue with GitHub" in page
        assert "Google" not in page
        assert page.count('name="next" value="/posts/new"') >= 3
    assert "Log in with GitHub or Harbour office" not in maren.get("/auth/login").text


def test_a_link_begins_nothing(maren: Person, provider: LocalProvider) -> None:
    assert maren.get("/auth/openid/oidc").status_code == 405
    assert not provider.asked


# There and back.


def test_somebody_new_chooses_a_name_and_is_in(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    answer, address = depart(maren, next="/posts/new")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    sent = parameters(address)
    assert sent["scope"] == "openid profile email"
    assert sent["redirect_uri"] == office.settings.link_base + CALLBACK
    answer = maren.get(provider.approved(address))
    assert (answer.status_code, answer.headers["location"]) == (303, "/users/register/openid")
    assert not maren.is_logged_in()
    assert "maren" not in [each.username for each in office.rows(User)]

    page = maren.get("/users/register/openid").text
    assert 'value="maren"' in page
    assert "Maren Holm" in page
    answer = maren.post("/users/register/openid", {"username": "Skipper"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/posts/new")
    assert maren.is_logged_in()
    made = user(office, "skipper")
    assert (made.display_name, made.email, made.role) == ("Maren Holm", ADDRESS, "author")
    assert made.email_is_verified
    assert not made.has_password
    assert owners(office) == {MAREN["sub"]: "skipper"}
    actions = [each.action for each in office.rows(AuditEvent) if each.username == "skipper"]
    assert actions == [audit.REGISTERED, audit.IDENTITY_LINKED, audit.LOGGED_IN]


def test_whoever_is_known_comes_straight_in_and_to_where_they_wanted(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    maren.log_out()
    provider.claims |= {"email": "new@example.org", "preferred_username": "renamed"}
    answer = there_and_back(maren, provider, next="/posts/new?draft=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/posts/new?draft=1")
    assert maren.is_logged_in()
    assert owners(office) == {MAREN["sub"]: "maren"}
    event = next(each for each in office.rows(AuditEvent)[::-1] if each.action == audit.LOGGED_IN)
    assert event.details == {"by": "Harbour office"}


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_led_elsewhere(maren: Person, provider: LocalProvider, wanted: str) -> None:
    register_by(maren, provider)
    maren.log_out()
    assert there_and_back(maren, provider, next=wanted).headers["location"] == "/"


def test_the_first_account_owns_the_blog(
    blog: Blog, running_office: Blog, provider: LocalProvider
) -> None:
    forget(running_office)
    first = running_office.visitor()
    register_by(first, provider)
    assert user(blog, "maren").is_owner
    assert "This blog is yours now" in first.get("/").text


def test_an_address_is_verified_only_if_the_provider_says_so(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    provider.claims["email_verified"] = False
    register_by(maren, provider)
    assert user(office, "maren").email == ADDRESS
    assert not user(office, "maren").email_is_verified


@pytest.mark.parametrize(
    "address", [None, "", "no address", "a@b@c", 7, "x" * 300 + "@example.org"]
)
def test_an_address_that_is_none_is_left_out(
    maren: Person, office: Blog, provider: LocalProvider, address: object
) -> None:
    provider.claims["email"] = address
    register_by(maren, provider)
    assert user(office, "maren").email is None
    assert not user(office, "maren").email_is_verified


def test_what_the_provider_says_is_text_and_nothing_else(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    provider.claims |= {
        "name": "<b>Maren\0\n\u202e" + "x" * 300,
        "preferred_username": "../Ma\0ren",
    }
    assert there_and_back(maren, provider).status_code == 303
    page = maren.get("/users/register/openid").text
    assert "&lt;b&gt;Maren" in page
    assert 'value="ma-ren"' in page or 'value="maren"' in page
    assert maren.post("/users/register/openid", {"username": "maren"}).status_code == 303
    assert user(office, "maren").display_name == ("<b>Maren" + "x" * 300)[:80]


@pytest.mark.parametrize(
    ("username", "status"), [("Alice", 409), ("admin", 422), ("no good", 422), ("", 422)]
)
def test_a_name_that_will_not_do_can_be_chosen_again(
    maren: Person, office: Blog, provider: LocalProvider, username: str, status: int
) -> None:
    there_and_back(maren, provider)
    answer = maren.post("/users/register/openid", {"username": username})
    assert answer.status_code == status
    assert f'value="{username}"' in answer.text
    assert nobody_came_in(maren)
    assert maren.post("/users/register/openid", {"username": "maren"}).status_code == 303


def test_whoever_brings_no_address_may_give_one(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    """It is theirs to prove, also if they come from a provider that verifies addresses."""
    provider.claims["email"] = ""
    there_and_back(maren, provider)
    assert 'name="email"' in maren.get("/users/register/openid").text
    form = {"username": "maren", "email": "no address"}
    assert maren.post("/users/register/openid", form).status_code == 422
    answer = maren.post("/users/register/openid", {**form, "email": "maren@home.example"})
    assert answer.status_code == 303
    assert user(office, "maren").email == "maren@home.example"
    assert not user(office, "maren").email_is_verified


def test_the_address_of_the_provider_cannot_be_replaced_by_another(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    there_and_back(maren, provider)
    assert 'name="email"' not in maren.get("/users/register/openid").text
    form = {"username": "maren", "email": "victim@home.example", "email_is_verified": "on"}
    maren.post("/users/register/openid", form)
    assert user(office, "maren").email == ADDRESS


def test_a_name_can_be_chosen_only_by_who_came_from_a_provider(
    maren: Person, alice: Person, office: Blog
) -> None:
    for person in (maren, alice):
        assert person.get("/users/register/openid").headers["location"] == "/users/register"
        answer = person.post("/users/register/openid", {"username": "maren"})
        assert answer.headers["location"] == "/users/register"
    assert len(office.rows(User)) == 1


def test_one_person_who_registers_twice_at_once_has_one_account(
    office: Blog, provider: LocalProvider
) -> None:
    tabs = [office.visitor() for _ in range(2)]
    for tab in tabs:
        there_and_back(tab, provider)
    names = ("maren", "maren-2")
    answers = at_once(
        2, lambda n: tabs[n].post("/users/register/openid", {"username": names[n]}).status_code
    )
    assert sorted(answers) == [303, 409]
    assert len(owners(office)) == 1
    assert len(office.rows(User)) == 2


def test_a_blog_that_wants_verified_addresses_takes_the_word_of_the_provider(
    running_blog: Blog, office: Blog, provider: LocalProvider
) -> None:
    with knowing(running_blog, provider, require_verified_email=True) as strict:
        maren = strict.visitor()
        register_by(maren, provider)
        assert maren.is_logged_in()
        assert not office.mails_to(ADDRESS)


@pytest.mark.parametrize("address", [ADDRESS, ""])
def test_an_address_that_nobody_verified_is_verified_before_one_comes_in(
    running_blog: Blog, office: Blog, provider: LocalProvider, address: str
) -> None:
    provider.claims |= {"email": address, "email_verified": False}
    with knowing(running_blog, provider, require_verified_email=True) as strict:
        maren = strict.visitor()
        there_and_back(maren, provider)
        if not address:
            answer = maren.post("/users/register/openid", {"username": "maren"})
            assert answer.status_code == 422
            assert "we send a link there" in answer.text
        form = {"username": "maren", "email": ADDRESS}
        answer = maren.post("/users/register/openid", form)
        assert answer.headers["location"] == "/auth/verify"
        [mail] = office.mails_to(ADDRESS)
        again = strict.visitor()
        assert there_and_back(again, provider).headers["location"] == "/auth/verify"
        assert not again.is_logged_in()
        assert not maren.is_logged_in()
        link = mail.body.partition("/auth/verify/")[2].split()[0]
        assert maren.post(f"/auth/verify/{link}").status_code == 303
        assert there_and_back(again, provider).headers["location"] == "/"
        assert again.is_logged_in()


@pytest.mark.parametrize("kind", ["closed", "invite"])
def test_a_closed_registration_is_closed_here_too(
    running_blog: Blog, office: Blog, provider: LocalProvider, maren: Person, kind: str
) -> None:
    register_by(maren, provider)
    with knowing(running_blog, provider, registration=kind) as closed:
        known, unknown = closed.visitor(), closed.visitor()
        assert there_and_back(known, provider).status_code == 303
        assert known.is_logged_in()
        provider.claims |= {"sub": "another", "email": "another@example.org"}
        assert there_and_back(unknown, provider).status_code == 403
        assert not unknown.is_logged_in()
        there_and_back(office.visitor(), provider)
        assert unknown.post("/users/register/openid", {"username": "x"}).status_code == 303
    assert len(office.rows(User)) == 2


def test_a_registration_that_closes_meanwhile_makes_no_account(
    running_blog: Blog, office: Blog, provider: LocalProvider, maren: Person
) -> None:
    there_and_back(maren, provider)
    with knowing(running_blog, provider, registration="closed") as closed:
        tab = closed.visitor()
        tab.client.cookies.update(maren.client.cookies)
        assert tab.post("/users/register/openid", {"username": "maren"}).status_code == 403
    assert len(office.rows(User)) == 1


def test_the_second_step_is_asked_here_too(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    with office.database.writing() as db:
        found = db.merge(user(office, "maren"))
        found.totp_secret = "something"
    maren.log_out()
    answer = there_and_back(maren, provider, next="/posts/new")
    assert answer.headers["location"] == "/auth/two-factor?next=%2Fposts%2Fnew"
    assert maren.get("/posts/new").status_code == 303
    assert not office.rows(Login) or user(office, "maren").id not in {
        each.user_id for each in office.rows(Login)
    }


# Only who was sent can come back, and only once.


@pytest.mark.parametrize(
    "state", ["", "x", "ünknown", "\ud800".encode("utf-8", "surrogatepass"), "x" * 9000]
)
def test_a_state_that_is_not_ours_is_refused(
    maren: Person, provider: LocalProvider, state: str | bytes
) -> None:
    _, address = depart(maren)
    provider.approved(address)
    code = next(iter(provider.codes))
    answer = maren.get(f"{CALLBACK}?{urlencode({'state': state, 'code': code})}")
    assert answer.status_code == 400
    assert "did not begin in this browser" in answer.text
    assert nobody_came_in(maren)
    assert "/token" not in provider.asked
    right = {"state": parameters(address)["state"], "code": code}
    assert maren.get(f"{CALLBACK}?{urlencode(right)}").status_code == 303  # was not used up


def test_a_callback_out_of_the_blue_is_refused(
    maren: Person, alice: Person, office: Blog, provider: LocalProvider
) -> None:
    logged_in = office.visitor()
    logged_in.username = ALICE
    logged_in.log_in()
    for person in (maren, logged_in):
        for query in ("", "?state=&code=", "?code=x", "?state=x", "?error=access_denied"):
            assert person.get(CALLBACK + query).status_code == 400
    assert not provider.asked


def test_a_state_of_another_browser_is_refused(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    """Nobody is logged in as somebody else without noticing (login CSRF)."""
    attacker = office.visitor()
    _, address = depart(attacker)
    came_back = provider.approved(address)
    depart(maren)
    assert maren.get(came_back).status_code == 400
    assert nobody_came_in(maren)


def test_a_state_is_good_once(maren: Person, office: Blog, provider: LocalProvider) -> None:
    _, address = depart(maren)
    came_back = provider.approved(address)
    copied = office.visitor()
    copied.client.cookies.update(maren.client.cookies)
    assert maren.get(came_back).status_code == 303
    for person in (maren, copied):
        assert person.get(came_back).status_code == 400
    assert provider.asked.count("/token") == 1


def test_of_two_tabs_that_come_back_at_once_one_comes_in(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    maren.log_out()
    _, address = depart(maren)
    came_back = provider.approved(address)
    provider.asked.clear()
    tabs = [office.visitor() for _ in range(2)]
    for tab in tabs:
        tab.client.cookies.update(maren.client.cookies)
    answers = at_once(2, lambda n: tabs[n].get(came_back).status_code)
    assert sorted(answers) == [303, 400]
    assert provider.asked.count("/token") == 1


def test_a_state_for_one_provider_is_not_good_for_another(
    maren: Person, provider: LocalProvider
) -> None:
    _, address = depart(maren)
    came_back = provider.approved(address)
    assert maren.get(came_back.replace("/oidc/", "/github/")).status_code == 400
    assert maren.get(came_back).status_code == 400
    assert nobody_came_in(maren)


def test_a_state_is_good_for_ten_minutes(
    maren: Person, provider: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trips, "now", lambda: datetime.now(UTC) - timedelta(minutes=10, seconds=1))
    _, address = depart(maren)
    monkeypatch.undo()
    assert maren.get(provider.approved(address)).status_code == 400
    assert nobody_came_in(maren)


def test_a_trip_of_a_stranger_is_over_once_they_are_logged_in(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    _, address = depart(maren)
    came_back = provider.approved(address)
    maren.username = ALICE
    maren.log_in()
    assert maren.get(came_back).status_code == 400
    assert not office.rows(Identity)


def test_a_code_of_another_trip_is_worth_nothing(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    """PKCE: a stolen code needs the verifier, which never leaves the server."""
    _, address = depart(office.visitor())
    stolen = parameters(provider.approved(address))["code"]
    _, address = depart(maren)
    state = parameters(address)["state"]
    answer = maren.get(f"{CALLBACK}?{urlencode({'state': state, 'code': stolen})}")
    assert answer.status_code == 400
    assert "does not prove who you are" in answer.text
    assert nobody_came_in(maren)


@pytest.mark.parametrize("code", ["", "no such code", "x" * 5000, "&code=y", "\0"])
def test_a_code_that_is_none_proves_nothing(
    maren: Person, provider: LocalProvider, code: str
) -> None:
    _, address = depart(maren)
    state = parameters(address)["state"]
    answer = maren.get(f"{CALLBACK}?{urlencode({'state': state, 'code': code})}")
    assert answer.status_code == 400
    assert nobody_came_in(maren)


@pytest.mark.parametrize("error", ["access_denied", "<script>", "server_error"])
def test_whoever_changes_their_mind_is_back_at_the_login(
    maren: Person, provider: LocalProvider, error: str
) -> None:
    _, address = depart(maren)
    state = parameters(address)["state"]
    answer = maren.get(f"{CALLBACK}?{urlencode({'state': state, 'error': error})}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/login")
    assert "Harbour office did not tell us who you are" in maren.get("/auth/login").text
    assert "/token" not in provider.asked


# Accounts that were here before.


def with_address(blog: Blog, username: str, address: str, *, verified: bool) -> None:
    with blog.database.writing() as db:
        found = db.merge(user(blog, username))
        found.email, found.email_key = address, address.casefold()
        found.email_verified_at = VERIFIED if verified else None


def test_two_verified_addresses_that_are_the_same_link_the_accounts(
    maren: Person, bob: Person, office: Blog, provider: LocalProvider
) -> None:
    with_address(office, BOB, "Maren@example.org", verified=True)
    answer = there_and_back(maren, provider, next="/posts/new")
    assert (answer.status_code, answer.headers["location"]) == (303, "/posts/new")
    assert owners(office) == {MAREN["sub"]: BOB}
    assert bob.log_in_again().status_code == 303  # the password stays
    mails = office.mails_to("Maren@example.org")
    assert any("new way into your account" in each.subject for each in mails)
    assert any("Harbour office: maren" in each.body for each in mails)


@pytest.mark.parametrize(("theirs", "ours"), [(False, False), (False, True), (True, False)])
def test_an_address_that_one_side_has_not_verified_links_nothing(
    maren: Person, bob: Person, office: Blog, provider: LocalProvider, theirs: bool, ours: bool
) -> None:
    """Whoever claims an address at a provider does not get the account that has it."""
    with_address(office, BOB, ADDRESS, verified=ours)
    provider.claims["email_verified"] = theirs
    answer = there_and_back(maren, provider)
    assert answer.status_code == 409
    assert "an account with your e-mail address here already" in answer.text
    assert not maren.is_logged_in()
    assert not owners(office)
    assert len(office.rows(User)) == 2
    assert 'name="next" value="/settings/identities"' in answer.text
    form = {"username": BOB, "password": PASSWORD, "next": "/settings/identities"}
    assert maren.post("/auth/login", form).headers["location"] == "/settings/identities"
    answer = there_and_back(maren, provider, path="/settings/identities/oidc")
    assert answer.headers["location"] == "/settings/identities"
    assert owners(office) == {MAREN["sub"]: BOB}


def test_of_two_accounts_with_an_address_the_one_that_has_verified_it_is_linked(
    maren: Person, bob: Person, carol: Person, office: Blog, provider: LocalProvider
) -> None:
    with_address(office, carol.username, ADDRESS, verified=False)
    with_address(office, BOB, ADDRESS, verified=True)
    assert there_and_back(maren, provider).status_code == 303
    assert owners(office) == {MAREN["sub"]: BOB}


@pytest.mark.parametrize("twin", ["ｍaren@example.org", "maren@exampľe.org".replace("ľ", "ｌ")])
def test_an_address_that_only_looks_the_same_links_nothing(
    maren: Person, bob: Person, office: Blog, provider: LocalProvider, twin: str
) -> None:
    with office.database.writing() as db:
        found = db.merge(user(office, BOB))
        found.email, found.email_key, found.email_verified_at = twin, ADDRESS, VERIFIED
    assert there_and_back(maren, provider).status_code == 409
    assert not owners(office)


def test_an_address_that_is_taken_meanwhile_makes_no_account(
    maren: Person, bob: Person, office: Blog, provider: LocalProvider
) -> None:
    there_and_back(maren, provider)
    with_address(office, BOB, ADDRESS, verified=True)
    answer = maren.post("/users/register/openid", {"username": "maren"})
    assert answer.status_code == 409
    assert not owners(office)
    assert len(office.rows(User)) == 2


def test_a_disabled_account_is_refused_as_a_wrong_password_is(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    maren.log_out()
    with office.database.writing() as db:
        db.merge(user(office, "maren")).disabled_at = VERIFIED
    answer = there_and_back(maren, provider)
    assert answer.status_code == 401
    assert "You cannot log in that way" in answer.text
    assert not maren.is_logged_in()
    refused = [each for each in office.rows(AuditEvent) if each.action == audit.LOGIN_FAILED]
    assert [each.details["why"] for each in refused] == ["disabled"]


def test_a_disabled_account_is_not_linked_nor_gone_around(
    maren: Person, bob: Person, office: Blog, provider: LocalProvider
) -> None:
    with_address(office, BOB, ADDRESS, verified=True)
    with office.database.writing() as db:
        db.merge(user(office, BOB)).disabled_at = VERIFIED
    assert there_and_back(maren, provider).status_code == 401
    assert not owners(office)
    assert len(office.rows(User)) == 2


# GitHub.


def test_github_lets_people_in_by_their_number(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    _, address = depart(maren, "github")
    assert parameters(address)["scope"] == "user:email"
    register_by(maren, provider, "octocat", "github")
    made = user(office, "octocat")
    assert (made.email, made.email_is_verified) == ("octocat@example.org", True)
    assert owners(office) == {"583231": "octocat"}
    maren.log_out()
    provider.octocat["login"] = "renamed"
    assert there_and_back(maren, provider, "github").headers["location"] == "/"
    assert maren.is_logged_in()


def test_somebody_who_took_over_a_name_at_github_is_somebody_else(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider, "octocat", "github")
    provider.octocat["id"] = 1
    provider.addresses = []
    other = office.visitor()
    assert there_and_back(other, provider, "github").headers["location"].endswith("/openid")
    assert 'value="octocat-2"' in other.get("/users/register/openid").text


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (
            [{"email": "o@example.org", "primary": True, "verified": False}],
            ("o@example.org", False),
        ),
        ([{"email": "o@example.org", "primary": False, "verified": True}], (None, False)),
        ([{"primary": True, "verified": True}, 7], (None, False)),
        ({"message": "Not Found"}, (None, False)),
        (None, (None, False)),
    ],
)
def test_github_may_keep_an_address_to_itself(
    maren: Person,
    office: Blog,
    provider: LocalProvider,
    addresses: object,
    expected: tuple[str | None, bool],
) -> None:
    provider.addresses = addresses
    register_by(maren, provider, "octocat", "github")
    made = user(office, "octocat")
    assert (made.email, made.email_is_verified) == expected


# Cookies that stay at home, and logins that must be fresh.


def test_a_browser_that_left_its_cookies_at_home_is_asked_once_more(
    running_blog: Blog, office: Blog, provider: LocalProvider
) -> None:
    with knowing(running_blog, provider, cookie_samesite="strict") as strict:
        maren = strict.visitor()
        _, address = depart(maren)
        came_back = provider.approved(address)
        bare = strict.visitor().get(came_back)
        assert bare.status_code == 200
        assert f'url={came_back.replace("&", "&amp;")}&amp;again=1"' in bare.text
        assert "/token" not in provider.asked
        assert strict.visitor().get(f"{came_back}&again=1").status_code == 400
        assert maren.get(f"{came_back}&again=1").status_code == 303


def test_whoever_has_no_password_shows_who_they_are_by_their_provider(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    with_another_browser(maren)
    answer = maren.get("/settings/identities")
    assert answer.headers["location"] == "/auth/confirm?next=%2Fsettings%2Fidentities"
    page = maren.get(answer.headers["location"]).text
    assert "Continue with Harbour office" in page
    assert "Continue with GitHub" not in page
    assert 'type="password"' not in page
    answer = there_and_back(maren, provider, next="/settings/identities")
    assert answer.headers["location"] == "/settings/identities"
    assert maren.get("/settings/identities").status_code == 200
    assert provider.authorization["max_age"] == "0"


def test_a_provider_that_asked_long_ago_confirms_nothing(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    provider.claims["auth_time"] = int(time.time()) - 3600
    assert there_and_back(maren, provider, next="/settings/identities").status_code == 400
    provider.claims["auth_time"] = int(time.time()) - 5
    assert there_and_back(maren, provider, next="/settings/identities").status_code == 303


def test_somebody_elses_identity_confirms_nothing(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    with_another_browser(maren)
    provider.claims |= {"sub": "another", "email": "another@example.org"}
    answer = there_and_back(maren, provider, next="/settings/identities")
    assert answer.headers["location"] == "/auth/confirm?next=%2Fsettings%2Fidentities"
    assert "is not linked to yours here" in maren.get(answer.headers["location"]).text
    assert maren.get("/settings/identities").status_code == 303
    assert owners(office) == {MAREN["sub"]: "maren"}
    assert audit.CONFIRMATION_FAILED in [each.action for each in office.rows(AuditEvent)]


def with_another_browser(person: Person) -> None:
    """They go on elsewhere with the same cookies: such a login is not fresh."""
    person.client.headers["user-agent"] = "Another/1.0"


def test_secrets_stay_out_of_the_log(
    maren: Person, provider: LocalProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "inkstand")
    _, address = depart(maren)
    came_back = provider.approved(address)
    provider.lie = "wrong nonce"
    maren.get(came_back)
    said = "\n".join(f"{each.getMessage()} {vars(each)}" for each in caplog.records)
    assert "proved nothing" in said
    for name in ("state", "code"):
        assert parameters(came_back)[name] not in said
    assert parameters(address)["nonce"] not in said


def test_no_mail_tells_a_newcomer_of_what_they_do_just_now(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    register_by(maren, provider)
    assert not office.rows(Mail)
