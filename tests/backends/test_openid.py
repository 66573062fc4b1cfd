"""Providers that lie, are broken, slow or replaced by something else: nobody comes in by them."""

import threading
import time

import pytest

from backends.openid import http
from models import AuditEvent
from services import audit
from tests.blog import Blog, Person
from tests.openid_provider import (
    HEADERS_THAT_LIE,
    KEY,
    LIES,
    MAREN,
    OTHER_KEY,
    LocalProvider,
    broken_answers,
)
from tests.openid_world import (
    depart,
    forget,
    knowing,
    nobody_came_in,
    parameters,
    register_by,
    there_and_back,
    user,
)
from tests.processes import at_once, free_port

# A provider that lies.


@pytest.mark.parametrize("lie", [*LIES, *HEADERS_THAT_LIE, "no ID token"])
def test_a_token_is_believed_only_for_good_reasons(
    maren: Person, office: Blog, provider: LocalProvider, lie: str
) -> None:
    provider.lie = lie
    answer = there_and_back(maren, provider)
    assert answer.status_code == 400
    assert "does not prove who you are" in answer.text
    assert nobody_came_in(maren)
    refused = [each for each in office.rows(AuditEvent) if each.action == audit.LOGIN_FAILED]
    assert [each.details["why"] for each in refused] == ["proved nothing"]
    provider.lie = ""
    assert there_and_back(maren, provider).status_code == 303


def test_a_token_may_be_for_others_too_if_it_was_made_for_us(
    maren: Person, provider: LocalProvider
) -> None:
    provider.claims |= {"aud": ["blog", "another-client"], "azp": "blog"}
    assert there_and_back(maren, provider).status_code == 303


def test_new_keys_are_fetched_when_they_are_needed(maren: Person, provider: LocalProvider) -> None:
    register_by(maren, provider)
    provider.keys, provider.signs_with = [KEY, OTHER_KEY], OTHER_KEY
    for _ in range(2):
        maren.log_out()
        assert there_and_back(maren, provider).status_code == 303
        assert maren.is_logged_in()
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_a_key_that_is_gone_is_asked_for_once(maren: Person, provider: LocalProvider) -> None:
    there_and_back(maren, provider)
    provider.signs_with = OTHER_KEY
    assert there_and_back(maren, provider).status_code == 400
    assert provider.asked.count("/keys") == 2


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"], None])
def test_the_blog_proves_itself_as_the_provider_likes_it(
    maren: Person, provider: LocalProvider, methods: list[str] | None
) -> None:
    provider.document["token_endpoint_auth_methods_supported"] = methods
    assert there_and_back(maren, provider).status_code == 303


def test_what_the_token_leaves_out_is_asked_for(
    maren: Person, office: Blog, provider: LocalProvider
) -> None:
    provider.userinfo_claims = {
        name: provider.claims.pop(name)
        for name in ("email", "email_verified", "name", "preferred_username")
    }
    register_by(maren, provider)
    assert user(office, "maren").email == MAREN["email"]
    assert user(office, "maren").email_is_verified


def test_what_is_said_about_somebody_else_is_not_believed(
    maren: Person, provider: LocalProvider
) -> None:
    del provider.claims["email"]
    provider.userinfo_claims = {"sub": "another", "email": "alice@example.org"}
    assert there_and_back(maren, provider).status_code == 400
    assert nobody_came_in(maren)


# A provider that is away, or says nothing that can be understood.


def is_away(answer: object) -> bool:
    text = getattr(answer, "text", "")
    status = getattr(answer, "status_code", 0)
    return status == 503 and "Harbour office does not answer as it should" in text


KINDS = list(broken_answers(""))


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_provider_is_said_to_be_away_and_nothing_changes(
    maren: Person, office: Blog, provider: LocalProvider, kind: str
) -> None:
    """No redirect is followed either, to whatever it leads."""
    broken = broken_answers(f"{provider.url}/canary")[kind]
    del provider.claims["email"]
    for path in ("/.well-known/openid-configuration", "/token", "/keys", "/userinfo"):
        forget(office)
        provider.broken = {path: broken}
        answer, address = depart(maren, next="/posts/new")
        if address:
            answer = maren.get(provider.approved(address))
        assert is_away(answer), (path, answer.status_code)
        assert answer.headers["retry-after"]
        assert nobody_came_in(maren)
    assert "/canary" not in provider.asked
    provider.broken = {}
    assert there_and_back(maren, provider).status_code == 303  # nothing of that was kept


def test_a_blog_that_the_provider_does_not_know_says_that_it_is_away(
    maren: Person, provider: LocalProvider
) -> None:
    provider.lie = "another client"
    assert is_away(there_and_back(maren, provider))


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "CANARY"},
        {"jwks_uri": "CANARY"},
        {"userinfo_endpoint": "CANARY"},
        {"authorization_endpoint": "CANARY"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://good@evil.example/"},
        {"authorization_endpoint": "https://[evil"},
        {"authorization_endpoint": 'https://evil.example/"><script>'},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://evil.example:port/"},
        {"jwks_uri": 7},
        {"token_endpoint": ""},
    ],
    ids=str,
)
def test_a_discovery_document_leads_nowhere_else(
    maren: Person, provider: LocalProvider, said: dict[str, object]
) -> None:
    """Not to another server of this machine or network."""
    with LocalProvider() as elsewhere:
        provider.document = {
            name: f"http://127.0.0.1:{elsewhere.port}/canary" if value == "CANARY" else value
            for name, value in said.items()
        }
        answer, address = depart(maren)
        assert is_away(answer)
        assert not address
        assert not elsewhere.asked


def test_a_provider_that_is_not_there_is_away(
    running_blog: Blog, office: Blog, provider: LocalProvider
) -> None:
    with knowing(running_blog, provider) as found:
        found.app.state.providers["oidc"].issuer = f"http://localhost:{free_port()}"
        answer, _ = depart(found.visitor(), next="/posts/new")
    assert is_away(answer)
    assert 'value="/posts/new"' in answer.text  # the page has a button to try again


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_slow_provider_is_not_waited_for(
    maren: Person, provider: LocalProvider, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.3)
    with provider.waiting(path):
        began = time.monotonic()
        answer, address = depart(maren)
        if address:
            answer = maren.get(provider.approved(address))
        assert is_away(answer)
        assert time.monotonic() - began < 3
    assert nobody_came_in(maren)


def test_nothing_is_held_while_the_provider_is_asked(
    maren: Person, alice: Person, provider: LocalProvider
) -> None:
    """No transaction, no turn, not the event loop: others go on reading and writing."""
    _, address = depart(maren)
    came_back = provider.approved(address)
    answers: list[int] = []
    with provider.waiting("/token"):
        waiting = threading.Thread(target=lambda: answers.append(maren.get(came_back).status_code))
        waiting.start()
        while "/token" not in provider.asked:
            time.sleep(0.01)
        began = time.monotonic()
        for number in range(3):
            alice.write(f"Written meanwhile {number}")
        assert maren.blog.visitor().get("/").status_code == 200
        assert time.monotonic() - began < 2
        assert not answers
    waiting.join()
    assert answers == [303]


def test_a_crowd_that_waits_for_a_provider_is_sent_away(
    office: Blog, provider: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it cannot take all threads from those who read."""
    monkeypatch.setattr(http, "SECONDS", 0.5)
    people = [office.visitor() for _ in range(http.MOST_WAITING + 4)]
    addresses = [provider.approved(depart(each)[1]) for each in people]
    with provider.waiting("/token"):
        answers = at_once(len(people), lambda n: people[n].get(addresses[n]))
    assert {each.status_code for each in answers} == {503}
    assert sum("Too many people" in each.text for each in answers) >= 4


def test_trips_are_limited(maren: Person, office: Blog, provider: LocalProvider) -> None:
    answers = [depart(maren)[0].status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]


# GitHub.


@pytest.mark.parametrize("number", [None, "583231", True, 1.5])
def test_github_without_a_number_proves_nothing(
    maren: Person, provider: LocalProvider, number: object
) -> None:
    provider.octocat["id"] = number
    assert there_and_back(maren, provider, "github").status_code == 400
    assert nobody_came_in(maren)


def test_a_code_that_github_does_not_know_proves_nothing(
    maren: Person, provider: LocalProvider
) -> None:
    _, address = depart(maren, "github")
    state = parameters(address)["state"]
    answer = maren.get(f"/auth/openid/github/callback?state={state}&code=x")
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_github_is_away(maren: Person, provider: LocalProvider, kind: str) -> None:
    for path in ("/login/oauth/access_token", "/user"):
        provider.broken = {path: broken_answers(f"{provider.url}/canary")[kind]}
        answer = there_and_back(maren, provider, "github")
        assert answer.status_code == 503, path
        assert "GitHub does not answer" in answer.text
    assert "/canary" not in provider.asked
    assert nobody_came_in(maren)
