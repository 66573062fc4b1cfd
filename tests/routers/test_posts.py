"""Writing, reading, changing and throwing away posts."""

from models import Post
from tests.blog import Blog, Person


def test_a_published_post_is_seen_by_strangers(alice: Person, stranger: Person) -> None:
    slug = alice.write("What the tide tables leave out", "They are *right* to the minute.")
    assert slug == "what-the-tide-tables-leave-out"
    page = stranger.get(f"/posts/{slug}")
    assert page.status_code == 200
    assert "They are <em>right</em> to the minute." in page.text
    assert "What the tide tables leave out" in stranger.get("/").text


def test_a_stale_edit_keeps_both_texts(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    assert alice.edit(slug, content="first tab", version=1).status_code == 303
    response = alice.edit(slug, content="second tab", version=1)
    assert response.status_code == 409
    assert "first tab" in response.text
    assert "second tab" in response.text
    assert blog.rows(Post)[0].content == "first tab"
