"""Images for programs: the same library, and the same rules of who may."""

from typing import Any

import pytest

from models import Media
from services import media
from tests import pictures
from tests.blog import Blog, Person

PATH = "/api/v1/media"


def test_a_program_uploads_describes_and_deletes(bob: Person, blog: Blog) -> None:
    response = bob.upload(pictures.photo(1200, 900), "heron.jpg", PATH, alt="A heron")
    assert response.status_code == 201
    image = response.json()
    path = f"{PATH}/{image['id']}"
    assert response.headers["location"] == path
    assert image["markdown"] == f"![A heron]({image['url']})"
    assert bob.get(path).json() == image
    changed = bob.client.patch(path, json={"caption": "Grey"})
    assert changed.json() == image | {
        "caption": "Grey",
        "markdown": f'![A heron]({image["url"]} "Grey")',
    }
    assert bob.client.delete(path).status_code == 204
    assert not blog.rows(Media)
    assert bob.get(path).status_code == 404


def test_lists_are_ones_own_and_go_on(
    bob: Person, mallory: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "PER_PAGE", 2)
    mallory.image()
    names = ["a.png", "b.png", "heron.png"]
    for number, name in enumerate(names):
        bob.image(pictures.drawing(40, 40) + bytes([number]), name=name)
    first = bob.get(PATH)
    assert [each["name"][:1] for each in first.json()["items"]] == ["h", "b"]
    assert first.headers["link"] == f'<{first.json()["next"]}>; rel="next"'
    second = bob.get(first.json()["next"]).json()
    assert [each["name"][:1] for each in second["items"]] == ["a"]
    assert second["next"] is None
    assert [each["name"] for each in bob.get(f"{PATH}?q=heron").json()["items"]] == [
        "heron-40x40.webp"
    ]


@pytest.mark.parametrize(
    ("data", "status"), [(pictures.SVG, 415), (b"", 422), (pictures.gif_of_many(201), 422)]
)
def test_what_is_wrong_is_a_problem(bob: Person, data: bytes, status: int) -> None:
    response = bob.upload(data, path=PATH)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    [error] = response.json()["errors"]
    assert error["pointer"] == "#/file"


def test_images_of_others_are_missing_or_forbidden(bob: Person, mallory: Person) -> None:
    image = bob.image()
    path = f"{PATH}/{image['id']}"
    assert mallory.get(path).status_code == 404
    assert mallory.client.delete(path).status_code == 404
    bob.write(content=image["markdown"])
    assert mallory.client.patch(path, json={"alt": "Mine"}).status_code == 403
    assert mallory.client.delete(path).status_code == 403


def test_strangers_are_told_to_log_in_before_they_send(stranger: Person) -> None:
    response = stranger.upload(bytes(5_000_000), path=PATH)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_token_needs_the_scope(bob: Person, stranger: Person) -> None:
    image = bob.image()
    for scope, status in (("posts:read", 403), ("posts:write", 200)):
        response = stranger.get(f"{PATH}/{image['id']}", headers=bearer(bob, scope))
        assert response.status_code == status


def test_a_token_makes_no_image_public_that_its_scopes_do_not_reach(
    alice: Person, bob: Person, stranger: Person
) -> None:
    image = bob.image()
    text = {"title": "Taken", "content": image["markdown"]}
    for scope, status in (("posts:write", 404), ("posts:write posts:edit_any", 200)):
        headers = bearer(alice, *scope.split())
        made = stranger.client.post("/api/v1/posts", json=text, headers=headers).json()
        path = f"/api/v1/posts/{made['slug']}"
        change = {"version": made["working"]["version"], "action": "publish"}
        assert stranger.client.patch(path, json=change, headers=headers).status_code == 200
        assert stranger.get(image["url"]).status_code == status


def bearer(person: Person, *scopes: str) -> dict[str, Any]:
    made = person.client.post("/api/v1/tokens", json={"name": "A script", "scopes": scopes})
    return {"Authorization": f"Bearer {made.json()['token']}"}
