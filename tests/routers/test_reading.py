"""What readers get of a text: by the newest renderer, with links that vouch as far as the blog does."""

import re

import pytest

from models import Post
from services import markdown
from services.rerendering import rerender
from tests.blog import Blog, Person

TEXT = 'A [link](https://example.org "x"), https://example.com and `<a href="/z" rel="noopener">`.'


def link_rels(html: str) -> list[str]:
    return re.findall(r'<a href="https://example[^>]* rel="([^"]*)"', html)


def shown(reader: Person, slug: str) -> tuple[str, str]:
    """The text on the page, and the API's."""
    page = reader.get(f"/posts/{slug}").text
    prose = page.partition('<div class="prose e-content" dir="auto">')[2].partition("</div>")[0]
    html: str = reader.get(f"/api/v1/posts/{slug}").json()["html"]
    return prose, html


def test_links_of_strangers_vouch_for_nothing(bob: Person, stranger: Person) -> None:
    slug = bob.write("Spam, perhaps", TEXT)
    for html in shown(stranger, slug):
        assert link_rels(html) == ["noopener nofollow ugc"] * 2
        assert "&lt;a href=&quot;/z&quot;" in html or '&lt;a href="/z" rel="noopener"&gt;' in html
    assert "nofollow" not in bob.stored(slug).html


def test_links_of_those_who_are_known_here_are_links(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    editor = blog.person("erin", role="editor")
    for who in (alice, editor):
        for html in shown(stranger, who.write(f"By {who.username}", TEXT)):
            assert link_rels(html) == ["noopener"] * 2


@pytest.mark.parametrize("registration", ["invite", "closed"])
def test_where_nobody_can_just_register_there_are_no_strangers(
    bob: Person, blog: Blog, registration: str
) -> None:
    slug = bob.write("Invited", TEXT)
    with blog.beside(registration=registration) as private:
        for html in shown(private.visitor(), slug):
            assert link_rels(html) == ["noopener"] * 2


def test_what_an_older_renderer_made_is_shown_afresh(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    slug = alice.write("Old", "*new*")
    blog.put(Post, html="<p>as it was rendered once</p>", renderer=markdown.RENDERER - 1)
    for html in shown(stranger, slug):
        assert html == "<p><em>new</em></p>\n"
    kept = alice.stored(slug)
    assert (kept.html, kept.renderer) == (
        "<p>as it was rendered once</p>",
        markdown.RENDERER - 1,
    )


def test_what_a_newer_renderer_made_is_left_alone(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    slug = alice.write("New", "*old*")
    blog.put(Post, html="<p>from a later version</p>", renderer=markdown.RENDERER + 1)
    assert rerender(blog.database) == 0
    for html in shown(stranger, slug):
        assert html == "<p>from a later version</p>"


def test_saving_over_the_api_what_is_outdated_loses_nothing(alice: Person, blog: Blog) -> None:
    slug = alice.write("Old", "*before*")
    blog.put(Post, html="<p>old</p>", renderer=markdown.RENDERER - 1)
    change = {"version": 1, "content": "*after*", "action": "save"}
    answer = alice.client.patch(f"/api/v1/posts/{slug}", json=change)
    assert answer.json()["html"] == "<p><em>before</em></p>\n"
    staged = alice.stored(slug).staged
    assert staged
    assert staged["content"] == "*after*"


@pytest.mark.parametrize(
    "content", ["", "\x00", "[TOC]", ">" * 5000, "$\\begin{", "```math\n\\\n```"]
)
def test_no_stored_text_makes_a_page_fail(
    alice: Person, blog: Blog, stranger: Person, content: str
) -> None:
    if "\x00" in content and not blog.database.is_sqlite:
        content = "\ufffe"  # PostgreSQL keeps no NUL
    slug = alice.write("Odd", "Words.")
    blog.put(Post, content=content, renderer=0)
    for address in (f"/posts/{slug}", "/", f"/api/v1/posts/{slug}", "/users/alice"):
        assert stranger.get(address).status_code == 200
    assert rerender(blog.database) == 1
    assert stranger.get(f"/posts/{slug}").status_code == 200


def test_images_of_other_sites_are_shown_only_from_hosts_that_are_named(
    blog: Blog, stranger: Person
) -> None:
    def sources(reader: Person, directive: str) -> list[str]:
        policy = reader.get("/").headers["Content-Security-Policy"].split("; ")
        return next(each.split()[1:] for each in policy if each.startswith(directive))

    assert sources(stranger, "img-src") == ["'self'", "data:"]
    assert sources(stranger, "media-src") == ["'self'"]
    hosts = "https://images.example https://*.video.example"
    with blog.beside(media_hosts=hosts) as other:
        for directive in ("img-src", "media-src"):
            assert sources(other.visitor(), directive)[-2:] == hosts.split()
        assert sources(other.visitor(), "script-src") == ["'self'"]
