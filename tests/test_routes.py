"""Every route, and what becomes of everybody who tries it: the table of who may do what.

A route that is not in the table fails the first test; one that is neither public nor guarded fails
the second. `python -m tests.test_routes` prints the table as it is, for whoever adds a route.

    ok       it is carried out, or refused for what was sent (nothing, mostly)
    login    303 to the login form (401 for the API)
    confirm  303 to where one shows again who one is
    no       403: not with that role
    -        404: not theirs, and nothing tells whether it is there
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import delete

from models import Identity, Login, Media, Passkey, Series, User
from services import media
from tests.blog import INVENTED, Blog, Person, blog_settings, fill
from tests.people import ALICE, BOB, CAROL, MALLORY

ERIN = "erin"
WHO = ("stranger", CAROL, MALLORY, BOB, ERIN, ALICE)
ROLES = {CAROL: "reader", MALLORY: "author", BOB: "author", ERIN: "editor", ALICE: "owner"}

# What is somebody's own is Bob's: Mallory is another author, Erin an editor, Alice the owner.
TABLE = """
                                                     stranger carol    mallory  bob      erin     alice
GET    /                                             ok       ok       ok       ok       ok       ok
GET    /.well-known/security.txt                     -        -        -        -        -        -
GET    /admin                                        login    no       no       no       no       ok
GET    /admin/audit                                  login    no       no       no       no       ok
GET    /admin/invitations                            login    no       no       no       no       ok
POST   /admin/invitations                            login    no       no       no       no       ok
GET    /admin/invitations/new                        login    no       no       no       no       ok
POST   /admin/invitations/{handle}/delete            login    no       no       no       no       -
GET    /admin/mail                                   login    no       no       no       no       ok
POST   /admin/mail                                   login    no       no       no       no       ok
POST   /admin/mail/{mail_id}/retry                   login    no       no       no       no       -
GET    /admin/owner                                  login    no       no       no       no       ok
POST   /admin/owner                                  login    no       no       no       no       ok
GET    /admin/settings                               login    no       no       no       no       ok
POST   /admin/settings                               login    no       no       no       no       ok
GET    /admin/settings/logo                          login    no       no       no       no       ok
POST   /admin/settings/logo                          login    no       no       no       no       ok
GET    /admin/users                                  login    no       no       no       no       ok
GET    /admin/users/{username}                       login    no       no       no       no       ok
POST   /admin/users/{username}/logins/delete         login    no       no       no       no       ok
POST   /admin/users/{username}/role                  login    no       no       no       no       ok
POST   /admin/users/{username}/suspend               login    no       no       no       no       ok
POST   /admin/users/{username}/unsuspend             login    no       no       no       no       ok
POST   /api/v1/auth/login                            ok       ok       ok       ok       ok       ok
POST   /api/v1/auth/logout                           ok       ok       ok       ok       ok       ok
GET    /api/v1/auth/me                               login    ok       ok       ok       ok       ok
POST   /api/v1/auth/signup                           ok       ok       ok       ok       ok       ok
GET    /api/v1/me                                    login    ok       ok       ok       ok       ok
GET    /api/v1/media                                 login    no       ok       ok       ok       ok
POST   /api/v1/media                                 login    no       ok       ok       ok       ok
DELETE /api/v1/media/{media_id}                      login    no       -        ok       ok       ok
GET    /api/v1/media/{media_id}                      login    no       -        ok       ok       ok
PATCH  /api/v1/media/{media_id}                      login    no       -        ok       ok       ok
GET    /api/v1/posts                                 ok       ok       ok       ok       ok       ok
POST   /api/v1/posts                                 login    no       ok       ok       ok       ok
DELETE /api/v1/posts/{slug}                          login    no       no       ok       ok       ok
DELETE /api/v1/posts/{slug} draft                    login    no       -        ok       ok       ok
GET    /api/v1/posts/{slug}                          ok       ok       ok       ok       ok       ok
GET    /api/v1/posts/{slug} draft                    -        -        -        ok       ok       ok
PATCH  /api/v1/posts/{slug}                          login    no       no       ok       ok       ok
PATCH  /api/v1/posts/{slug} draft                    login    no       -        ok       ok       ok
PUT    /api/v1/posts/{slug}                          login    no       no       ok       ok       ok
PUT    /api/v1/posts/{slug} draft                    login    no       -        ok       ok       ok
GET    /api/v1/posts/{slug}/revisions                login    no       no       ok       ok       ok
GET    /api/v1/posts/{slug}/revisions draft          login    no       -        ok       ok       ok
GET    /api/v1/posts/{slug}/revisions/{number}       login    no       no       ok       ok       ok
GET    /api/v1/posts/{slug}/revisions/{number} draft login    no       -        ok       ok       ok
POST   /api/v1/posts/{slug}/revisions/{number}/restore login    no       no       ok       ok       ok
POST   /api/v1/posts/{slug}/revisions/{number}/restore draft login    no       -        ok       ok       ok
GET    /api/v1/tags                                  ok       ok       ok       ok       ok       ok
DELETE /api/v1/token                                 login    no       no       no       no       no
POST   /api/v1/token                                 ok       ok       ok       ok       ok       ok
GET    /api/v1/tokens                                login    ok       ok       ok       ok       ok
POST   /api/v1/tokens                                login    ok       ok       ok       ok       ok
DELETE /api/v1/tokens/{token_id}                     login    -        -        -        -        -
GET    /archive                                      ok       ok       ok       ok       ok       ok
GET    /archive/{year}                               -        -        -        -        -        -
GET    /auth/confirm                                 login    ok       ok       ok       ok       ok
POST   /auth/confirm                                 login    ok       ok       ok       ok       ok
POST   /auth/confirm/passkey-options                 login    -        -        -        -        -
GET    /auth/forgot                                  ok       ok       ok       ok       ok       ok
POST   /auth/forgot                                  ok       ok       ok       ok       ok       ok
GET    /auth/forgot/sent                             ok       ok       ok       ok       ok       ok
GET    /auth/invite/{token}                          ok       ok       ok       ok       ok       ok
POST   /auth/invite/{token}                          ok       ok       ok       ok       ok       ok
GET    /auth/login                                   ok       ok       ok       ok       ok       ok
POST   /auth/login                                   ok       ok       ok       ok       ok       ok
GET    /auth/logout                                  ok       ok       ok       ok       ok       ok
POST   /auth/logout                                  ok       ok       ok       ok       ok       ok
POST   /auth/openid/{provider}                       -        -        -        -        -        -
GET    /auth/openid/{provider}/callback              -        -        -        -        -        -
POST   /auth/passkey                                 ok       ok       ok       ok       ok       ok
POST   /auth/passkey/options                         -        -        -        -        -        -
GET    /auth/reset/{token}                           ok       ok       ok       ok       ok       ok
POST   /auth/reset/{token}                           ok       ok       ok       ok       ok       ok
GET    /auth/two-factor                              login    ok       ok       ok       ok       ok
POST   /auth/two-factor                              login    ok       ok       ok       ok       ok
POST   /auth/two-factor/passkey-options              -        -        -        -        -        -
GET    /auth/verify                                  ok       ok       ok       ok       ok       ok
POST   /auth/verify                                  login    ok       ok       ok       ok       ok
GET    /auth/verify/{token}                          ok       ok       ok       ok       ok       ok
POST   /auth/verify/{token}                          ok       ok       ok       ok       ok       ok
GET    /card.png                                     ok       ok       ok       ok       ok       ok
GET    /docs                                         ok       ok       ok       ok       ok       ok
GET    /drafts                                       login    no       ok       ok       ok       ok
GET    /feed.json                                    ok       ok       ok       ok       ok       ok
GET    /feed.xml                                     ok       ok       ok       ok       ok       ok
GET    /healthz                                      ok       ok       ok       ok       ok       ok
GET    /media                                        login    no       ok       ok       ok       ok
POST   /media                                        login    no       ok       ok       ok       ok
GET    /media/{media_id}/delete                      login    no       -        ok       ok       ok
POST   /media/{media_id}/delete                      login    no       -        ok       ok       ok
GET    /media/{media_id}/edit                        login    no       -        ok       ok       ok
POST   /media/{media_id}/edit                        login    no       -        ok       ok       ok
GET    /media/{media_id}/{name}                      -        -        -        ok       ok       ok
GET    /openapi.json                                 ok       ok       ok       ok       ok       ok
GET    /posts                                        ok       ok       ok       ok       ok       ok
POST   /posts                                        login    no       ok       ok       ok       ok
GET    /posts/new                                    login    no       ok       ok       ok       ok
PUT    /posts/new/autosave                           login    no       ok       ok       ok       ok
GET    /posts/{slug}                                 ok       ok       ok       ok       ok       ok
GET    /posts/{slug} draft                           -        -        -        ok       ok       ok
POST   /posts/{slug}                                 login    no       no       ok       ok       ok
POST   /posts/{slug} draft                           login    no       -        ok       ok       ok
PUT    /posts/{slug}/autosave                        login    no       no       ok       ok       ok
PUT    /posts/{slug}/autosave draft                  login    no       -        ok       ok       ok
POST   /posts/{slug}/autosave/delete                 login    no       no       ok       ok       ok
POST   /posts/{slug}/autosave/delete draft           login    no       -        ok       ok       ok
GET    /posts/{slug}/card.png                        ok       ok       ok       ok       ok       ok
GET    /posts/{slug}/card.png draft                  -        -        -        -        -        -
GET    /posts/{slug}/delete                          login    no       no       ok       ok       ok
GET    /posts/{slug}/delete draft                    login    no       -        ok       ok       ok
POST   /posts/{slug}/delete                          login    no       no       ok       ok       ok
POST   /posts/{slug}/delete draft                    login    no       -        ok       ok       ok
GET    /posts/{slug}/edit                            login    no       no       ok       ok       ok
GET    /posts/{slug}/edit draft                      login    no       -        ok       ok       ok
POST   /posts/{slug}/pin                             login    no       no       no       ok       ok
POST   /posts/{slug}/pin draft                       login    no       no       no       ok       ok
POST   /posts/{slug}/preview-link                    login    no       no       ok       ok       ok
POST   /posts/{slug}/preview-link draft              login    no       -        ok       ok       ok
POST   /posts/{slug}/preview-link/delete             login    no       no       ok       ok       ok
POST   /posts/{slug}/preview-link/delete draft       login    no       -        ok       ok       ok
GET    /posts/{slug}/readers                         login    no       no       ok       ok       ok
GET    /posts/{slug}/readers draft                   login    no       -        ok       ok       ok
POST   /posts/{slug}/restore                         login    no       no       ok       ok       ok
POST   /posts/{slug}/restore draft                   login    no       -        ok       ok       ok
GET    /posts/{slug}/revisions                       login    no       no       ok       ok       ok
GET    /posts/{slug}/revisions draft                 login    no       -        ok       ok       ok
GET    /posts/{slug}/revisions/{number}              login    no       no       ok       ok       ok
GET    /posts/{slug}/revisions/{number} draft        login    no       -        ok       ok       ok
POST   /posts/{slug}/revisions/{number}/restore      login    no       no       ok       ok       ok
POST   /posts/{slug}/revisions/{number}/restore draft login    no       -        ok       ok       ok
POST   /posts/{slug}/staged/delete                   login    no       no       ok       ok       ok
POST   /posts/{slug}/staged/delete draft             login    no       -        ok       ok       ok
POST   /posts/{slug}/unpin                           login    no       no       no       ok       ok
POST   /posts/{slug}/unpin draft                     login    no       no       no       ok       ok
GET    /readers                                      login    no       ok       ok       ok       ok
POST   /preview                                      login    no       ok       ok       ok       ok
GET    /preview/{token}                              -        -        -        -        -        -
GET    /preview/{token}/media/{media_id}/{name}      -        -        -        -        -        -
GET    /readyz                                       ok       ok       ok       ok       ok       ok
GET    /robots.txt                                   ok       ok       ok       ok       ok       ok
GET    /rss.xml                                      ok       ok       ok       ok       ok       ok
GET    /search                                       ok       ok       ok       ok       ok       ok
GET    /search/suggestions                           ok       ok       ok       ok       ok       ok
GET    /series                                       ok       ok       ok       ok       ok       ok
GET    /series/{slug}                                ok       ok       ok       ok       ok       ok
POST   /series/{slug}                                login    no       no       ok       ok       ok
GET    /series/{slug}/delete                         login    no       no       ok       ok       ok
POST   /series/{slug}/delete                         login    no       no       ok       ok       ok
GET    /series/{slug}/edit                           login    no       no       ok       ok       ok
POST   /series/{slug}/parts                          login    no       no       ok       ok       ok
GET    /settings                                     login    ok       ok       ok       ok       ok
GET    /settings/delete                              login    ok       ok       ok       ok       ok
POST   /settings/delete                              login    ok       ok       ok       ok       ok
GET    /settings/email                               login    ok       ok       ok       ok       ok
POST   /settings/email                               login    ok       ok       ok       ok       ok
GET    /settings/export                              login    ok       ok       ok       ok       ok
GET    /settings/identities                          login    ok       ok       ok       ok       ok
POST   /settings/identities/{handle}/delete          login    -        -        ok       -        -
POST   /settings/identities/{provider}               login    -        -        -        -        -
GET    /settings/passkeys                            login    ok       ok       ok       ok       ok
POST   /settings/passkeys                            login    ok       ok       ok       ok       ok
GET    /settings/passkeys/new                        login    ok       ok       ok       ok       ok
POST   /settings/passkeys/options                    login    -        -        -        -        -
POST   /settings/passkeys/{handle}                   login    -        -        ok       -        -
GET    /settings/passkeys/{handle}/delete            login    -        -        ok       -        -
POST   /settings/passkeys/{handle}/delete            login    -        -        ok       -        -
GET    /settings/passkeys/{handle}/edit              login    -        -        ok       -        -
GET    /settings/password                            login    ok       ok       ok       ok       ok
POST   /settings/password                            login    ok       ok       ok       ok       ok
GET    /settings/profile                             login    ok       ok       ok       ok       ok
POST   /settings/profile                             login    ok       ok       ok       ok       ok
GET    /settings/security                            login    ok       ok       ok       ok       ok
GET    /settings/sessions                            login    ok       ok       ok       ok       ok
POST   /settings/sessions/delete                     login    ok       ok       ok       ok       ok
POST   /settings/sessions/{handle}/delete            login    -        -        ok       -        -
GET    /settings/tokens                              login    ok       ok       ok       ok       ok
POST   /settings/tokens                              login    ok       ok       ok       ok       ok
POST   /settings/tokens/programs/{family_id}/delete  login    -        -        -        -        -
POST   /settings/tokens/{token_id}/delete            login    -        -        -        -        -
GET    /settings/two-factor                          login    ok       ok       ok       ok       ok
POST   /settings/two-factor                          login    ok       ok       ok       ok       ok
GET    /settings/two-factor/delete                   login    ok       ok       ok       ok       ok
POST   /settings/two-factor/delete                   login    ok       ok       ok       ok       ok
GET    /settings/two-factor/new                      login    ok       ok       ok       ok       ok
GET    /settings/two-factor/recovery-codes           login    ok       ok       ok       ok       ok
POST   /settings/two-factor/recovery-codes           login    -        -        -        -        -
POST   /settings/two-factor/recovery-codes/noted     login    ok       ok       ok       ok       ok
POST   /settings/two-factor/secret                   login    ok       ok       ok       ok       ok
GET    /settings/username                            login    ok       ok       ok       ok       ok
POST   /settings/username                            login    ok       ok       ok       ok       ok
GET    /sitemap.xml                                  ok       ok       ok       ok       ok       ok
GET    /sitemaps/{name}.xml                          -        -        -        -        -        -
GET    /style/{digest}.css                           -        -        -        -        -        -
GET    /tags                                         ok       ok       ok       ok       ok       ok
GET    /tags/{tag}                                   ok       ok       ok       ok       ok       ok
POST   /tags/{tag}                                   login    no       no       no       ok       ok
GET    /tags/{tag}/edit                              login    no       no       no       ok       ok
GET    /tags/{tag}/feed.json                         ok       ok       ok       ok       ok       ok
GET    /tags/{tag}/feed.xml                          ok       ok       ok       ok       ok       ok
GET    /tags/{tag}/rss.xml                           ok       ok       ok       ok       ok       ok
GET    /trash                                        login    no       ok       ok       ok       ok
GET    /trash/delete                                 login    no       ok       ok       ok       ok
POST   /trash/delete                                 login    no       ok       ok       ok       ok
GET    /trash/{slug}/delete                          login    no       -        ok       ok       ok
POST   /trash/{slug}/delete                          login    no       -        ok       ok       ok
GET    /users/register                               ok       ok       ok       ok       ok       ok
POST   /users/register                               ok       ok       ok       ok       ok       ok
GET    /users/register/openid                        ok       ok       ok       ok       ok       ok
POST   /users/register/openid                        ok       ok       ok       ok       ok       ok
GET    /users/{username}                             ok       ok       ok       ok       ok       ok
GET    /users/{username}/feed.json                   ok       ok       ok       ok       ok       ok
GET    /users/{username}/feed.xml                    ok       ok       ok       ok       ok       ok
GET    /users/{username}/rss.xml                     ok       ok       ok       ok       ok       ok
GET    /{slug:page}                                  ok       ok       ok       ok       ok       ok
"""

GUARDS = {"login_required", "fresh_login_required", "api_login_required", "ws_login_required"}
PUBLIC = {"for_everybody"}
REDIRECTS = {"/auth/login": "login", "/auth/confirm": "confirm"}


def rows() -> dict[str, dict[str, str]]:
    """What is expected: by method and path, then by person."""
    found = {}
    for line in TABLE.strip().splitlines()[1:]:
        parts = line.split()
        outcomes = parts[-len(WHO) :]
        found[" ".join(parts[: -len(WHO)])] = dict(zip(WHO, outcomes, strict=True))
    return found


def addresses(blog: Blog) -> list[str]:
    """Every method and path; those with a post twice, for a public one and for a draft."""
    found = []
    for method, path in sorted(blog.routes(), key=lambda route: (route[1], route[0])):
        if method not in ("HEAD", "OPTIONS"):
            found.append(f"{method} {path}")
            if "/posts/{slug}" in path:
                found.append(f"{method} {path} draft")
    return found


def test_every_route_has_its_row(blog: Blog) -> None:
    assert sorted(rows()) == sorted(addresses(blog))


def test_every_route_is_public_or_guarded(blog: Blog) -> None:
    for context in iter_route_contexts(blog.app.routes):
        names = set(dependencies_of(context.route.dependant))  # type: ignore[attr-defined]
        assert names & (GUARDS | PUBLIC), f"{context.path} is neither public nor guarded"
        assert not (names & GUARDS and names & PUBLIC), f"{context.path} is both"


def test_a_route_without_either_would_be_found(tmp_path: Path) -> None:
    blog = Blog(blog_settings(database_url=f"sqlite:///{tmp_path}/blog.db"))
    blog.app.get("/unguarded")(lambda: None)
    with pytest.raises(AssertionError, match="/unguarded is neither"):
        test_every_route_is_public_or_guarded(blog)
    with pytest.raises(AssertionError):
        test_every_route_has_its_row(blog)


def dependencies_of(dependant: Any) -> Iterator[str]:
    for each in dependant.dependencies:
        yield getattr(each.call, "__name__", "")
        yield from dependencies_of(each)


@pytest.mark.parametrize("who", WHO)
def test_everybody_reaches_what_they_may_and_nothing_else(blog: Blog, who: str) -> None:
    cast = Cast(blog)
    wrong = []
    for address, expected in rows().items():
        found = cast.outcome(who, address)
        if found != expected[who]:
            wrong.append(f"{who}: {address} is {found}, not {expected[who]}")
    assert not wrong, "\n".join(wrong)


class Cast:
    """The people of the table, and Bob's belongings, made again whenever one was used up."""

    def __init__(self, blog: Blog) -> None:
        self.blog = blog
        self.people: dict[str, Person] = {"stranger": blog.visitor()}
        for name in (ALICE, *WHO[1:-1]):
            self.people[name] = blog.person(name, "" if name == ALICE else ROLES[name])
        self.people[BOB].write(tags="tides")

    def outcome(self, who: str, address: str) -> str:
        method, path, *kind = address.split()
        person = self.people[who]
        self.blog.put(User, disabled_at=None)  # somebody may just have been suspended
        if who != "stranger" and not person.is_logged_in():
            assert person.log_in().status_code == 303
        path = fill(path, self.belongings(path, is_draft=bool(kind)))
        # Of the smallest kind that is carried out far enough to be judged: no field is filled.
        headers = {"Content-Type": "application/json"} if path.startswith("/api/") else {}
        word = word_for(person.client.request(method, path, headers=headers))
        self.forget_passkeys()  # nobody is asked for a second step later on
        return word

    def belongings(self, path: str, is_draft: bool) -> dict[str, str]:
        bob = self.people[BOB]
        known = {"username": BOB, "tag": "tides", "provider": "github", "number": "1"}
        if not bob.is_logged_in():
            bob.log_in()
        if "/posts/{slug}" in path:
            known["slug"] = bob.draft() if is_draft else bob.write()
        elif "/trash/{slug}" in path:
            known["slug"] = bob.write()
            bob.post(f"/posts/{known['slug']}/delete")
        elif "/series/{slug}" in path:
            known["slug"] = self.series_of(bob)
        elif path == "/{slug:page}":
            known["slug"] = self.page_of(self.people[ALICE])
        if "{media_id}" in path:
            known |= self.image_of(bob)
        if "/identities/{handle}" in path:
            known["handle"] = self.identity_of(bob)
        elif "/passkeys/{handle}" in path:
            known["handle"] = self.passkey_of(bob)
        elif "{handle}" in path:
            known["handle"] = self.login_of(bob)
        return known

    def image_of(self, person: Person) -> dict[str, str]:
        name = "heron-8x8.webp"
        found = [image.id for image in self.blog.rows(Media)]
        if not found:
            image = Media(
                user_id=self.id_of(person),
                name=name,
                content_type="image/webp",
                width=8,
                height=8,
                bytes=1,
                source_digest="x",
            )
            self.blog.app.state.storage.put(media.key(image.id, 8), b"RIFF")
            with self.blog.database.writing() as db:
                db.add(image)
            found = [image.id]
        return {"media_id": str(found[0]), "name": name}

    def series_of(self, person: Person) -> str:
        if not person.is_logged_in():
            person.log_in()
        title = f"Series {len(self.blog.rows(Series))}"
        person.write(series=title)
        return title.lower().replace(" ", "-")

    def page_of(self, person: Person) -> str:
        if not person.is_logged_in():
            person.log_in()
        return person.write("About", kind="page")

    def identity_of(self, person: Person) -> str:
        subject = f"{len(self.blog.rows(Identity))}"
        with self.blog.database.writing() as db:
            made = Identity(
                user_id=self.id_of(person), provider="github", issuer="x", subject=subject
            )
            db.add(made)
        return str(made.id)

    def id_of(self, person: Person) -> UUID:
        [found] = [u.id for u in self.blog.rows(User) if u.username == person.username]
        return UUID(str(found))

    def login_of(self, person: Person) -> str:
        user_id = self.id_of(person)
        found = [login.id for login in self.blog.rows(Login) if login.user_id == user_id]
        return str(found[0]) if found else INVENTED

    def passkey_of(self, person: Person) -> str:
        [user_id] = [u.id for u in self.blog.rows(User) if u.username == person.username]
        with self.blog.database.writing() as db:
            passkey = Passkey(user_id=user_id, credential_id=b"1", public_key=b"", name="Key")
            db.add(passkey)
        return str(passkey.id)

    def forget_passkeys(self) -> None:
        with self.blog.database.writing() as db:
            db.execute(delete(Passkey))


def word_for(response: httpx2.Response) -> str:
    status, place = response.status_code, response.headers.get("location", "")
    if status == 303:
        return REDIRECTS.get(re.split(r"[?#]", place)[0], "ok")
    words: dict[int, str] = {401: "login", 403: "no", 404: "-"}
    return words.get(status, "ok" if status < 500 else str(status))


def print_table() -> None:
    folder = tempfile.mkdtemp()
    with Blog(blog_settings(database_url=f"sqlite:///{folder}/blog.db")) as blog:
        cast = Cast(blog)
        known = rows()
        print(f"{'':<52} {' '.join(f'{who:<8}' for who in WHO)}".rstrip())
        for address in addresses(blog):
            found = [cast.outcome(who, address) for who in WHO]
            mark = "" if [*known.get(address, {}).values()] == found else "   # new"
            method, _, path = address.partition(" ")
            line = f"{method:<6} {path:<45} {' '.join(f'{word:<8}' for word in found)}"
            print(line.rstrip() + mark)


if __name__ == "__main__":
    print_table()
