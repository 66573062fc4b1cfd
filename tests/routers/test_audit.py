"""The audit log, for whoever owns the blog: what happened, who did it, when, and from where."""

import pytest

from models import AuditEvent, now
from services import audit, audit_sentences
from tests.blog import Blog, Person
from tests.people import BOB, PASSWORD

AUDIT = "/admin/audit"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0) AppleWebKit/605.1 Version/26.0 Safari/604.1"


def events(blog: Blog, action: str) -> list[AuditEvent]:
    return [event for event in blog.rows(AuditEvent) if event.action == action]


def test_the_page_tells_what_happened_in_sentences(alice: Person, bob: Person, blog: Blog) -> None:
    """Who, what, when in UTC, and from where."""
    bob.client.headers["User-Agent"] = PHONE
    bob.log_in_again()
    Person(blog, BOB).log_in("not this")
    Person(blog, "nobody-here").log_in("not this")
    bob.log_out()
    page = alice.get(AUDIT).text
    for sentence in (
        "bob registered.",
        "bob logged in by password.",
        "Somebody failed to log in as bob.",
        "Somebody failed to log in as somebody.",
        "bob logged out.",
    ):
        assert sentence in page
    assert page.index("bob logged out.") < page.index("bob registered.")  # the latest first
    assert "Safari on iPhone" in page
    assert "127.0.0.1" in page
    assert " UTC</time>" in page
    assert f'datetime="{now():%Y-%m-%d}' in page
    assert "nobody-here" not in page  # people type passwords there too


def test_refusals_of_people_who_are_logged_in_are_noted(
    bob: Person, alice: Person, blog: Blog
) -> None:
    """A 403 says who wanted what."""
    slug = alice.write("Of Alice")
    assert bob.get("/admin/users").status_code == 403
    assert bob.post(f"/posts/{slug}/delete").status_code == 403
    refused = events(blog, audit.FORBIDDEN)
    assert [event.details["what"] for event in refused] == [
        "GET /admin/users",
        f"POST /posts/{slug}/delete",
    ]
    assert {event.username for event in refused} == {BOB}
    assert "bob was refused: GET /admin/users." in alice.get(AUDIT).text


def test_limits_that_were_reached_are_noted(bob: Person, alice: Person, blog: Blog) -> None:
    """Once each, whoever meets them."""
    for _ in range(12):
        Person(blog, BOB).log_in("not this")
    assert len(events(blog, audit.LIMITED)) == 2
    for _ in range(12):
        bob.post("/auth/confirm", {"password": "not this"})
    limited = events(blog, audit.LIMITED)
    assert [event.username for event in limited] == [BOB] * 4
    assert "bob tried something too often: a password or a code." in alice.get(AUDIT).text
    for _ in range(11):
        bob.get("/settings/export")
    assert "bob tried something too often: GET /settings/export." in alice.get(AUDIT).text


def test_a_flood_of_refusals_leaves_a_few_rows(bob: Person, blog: Blog) -> None:
    for _ in range(40):
        assert bob.get("/admin").status_code == 403
    assert len(events(blog, audit.FORBIDDEN)) == audit.REFUSALS_OF_NETWORK.most


def test_no_secret_is_in_the_log(alice: Person, stranger: Person, blog: Blog) -> None:
    carol = blog.person("carol", role="reader")
    carol.get("/admin/users?token=sesame")
    carol.log_in_again(remember="on")
    Person(blog, "a secret phrase").log_in("another secret phrase")
    blog.visitor().post("/auth/invite/sesame", {"username": "x", "password": PASSWORD})
    everything = str([event.model_dump() for event in blog.rows(AuditEvent)])
    cookies = [value for value in carol.client.cookies.values() if value]
    for secret in (PASSWORD, "secret phrase", "sesame", *cookies):
        assert secret not in everything


def test_it_is_filtered_by_person_and_kind(alice: Person, bob: Person, carol: Person) -> None:
    alice.post("/admin/users/bob/role", {"role": "reader"})
    alice.post("/admin/users/carol/role", {"role": "author"})
    about_bob = alice.get(f"{AUDIT}?who=Bob").text
    assert "bob registered." in about_bob
    assert "changed bob’s role" in about_bob
    assert "carol’s" not in about_bob
    by_alice = alice.get(f"{AUDIT}?who=alice&action=role+changed").text
    assert "bob’s role" in by_alice
    assert "carol’s role" in by_alice
    assert "alice registered." not in by_alice
    for query in ("who=nobody", "action=nonsense", "who=%00", "who=%25"):
        page = alice.get(f"{AUDIT}?{query}")
        assert page.status_code == 200
        assert "Nothing of that kind." in page.text


def test_it_comes_in_pages(alice: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        for number in range(60):
            audit.record(db, audit.INVITED, role="reader", email=f"p{number}@example.org")
    first = alice.get(f"{AUDIT}?action=invitation+made").text
    assert "p59@" in first
    assert "p9@" not in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "action=invitation" in older
    page = alice.get(older).text
    assert "p9@" in page
    assert "p59@" not in page
    for before in ("0", "-1", "x", str(2**40)):
        assert alice.get(f"{AUDIT}?before={before}").status_code == 422


def test_every_kind_has_a_sentence() -> None:
    kinds = {v for name, v in vars(audit).items() if name.isupper() and isinstance(v, str)}
    assert kinds - {audit.RECORDED} == set(audit_sentences.ACTIONS)


@pytest.mark.parametrize("action", audit_sentences.ACTIONS)
def test_a_sentence_holds_together_without_details(action: str) -> None:
    event = AuditEvent(action=action, username="bob", details={})
    sentence = audit_sentences.sentence(event)
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_an_event_that_nobody_has_words_for_is_told_all_the_same() -> None:
    event = AuditEvent(action="kite flown", username="bob", details={"wind": "{8} knots"})
    assert audit_sentences.sentence(event) == "bob: kite flown (wind {8} knots)."


def test_markup_in_an_event_comes_out_as_text(alice: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        audit.record(db, audit.DEVICE_ENDED, device="<script>alert(1)</script>")
    assert "<script>" not in alice.get(AUDIT).text


def test_rows_outlive_their_accounts(alice: Person, bob: Person) -> None:
    bob.post("/settings/delete", {"posts": "keep", "password": PASSWORD})
    assert "bob registered." in alice.get(f"{AUDIT}?who=bob").text
