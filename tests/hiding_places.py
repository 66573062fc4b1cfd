"""Posts that nobody but their author may know of, with a word in them that stands nowhere else."""

from datetime import UTC, datetime, timedelta

from models import Autosave, Post, Revision
from services import cursors
from tests.blog import Blog, Person

WORD = "kanarienvogel"
TEXT = {
    "title": f"{WORD.title()} title",
    "content": f"A *{WORD}* in the text.\n\n[A link to it](/posts/{WORD})",
    "tags": f"{WORD}, open secret",
    "slug": f"{WORD}-slug",
    "series": f"The {WORD} series",
}
# Everything an edit can say, in words that may be read by all.
OPEN = {
    "title": "For everybody",
    "content": "Words for everybody.",
    "tags": "open",
    "series": "",
}


class HidingPlaces:
    """Bob's texts: each hidden in another way, and two public posts that hide a newer text. And a
    page of Alice, who owns the blog."""

    def __init__(self, blog: Blog, alice: Person, bob: Person) -> None:
        self.blog, self.bob = blog, bob
        self.slugs: dict[str, str] = {}
        self.image = bob.image(
            alt=f"A {WORD} sings", caption=f"The {WORD} again", name=f"{WORD}.jpg"
        )
        self.words = TEXT | {"content": f"{TEXT['content']}\n\n{self.image['markdown']}"}
        self.hide_posts()
        self.slugs["page"] = alice.write(
            **self.text("page") | {"series": ""}, kind="page", action="draft"
        )
        self.hide_behind_public_posts()

    def hide_posts(self) -> None:
        ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        self.slugs["draft"] = self.write("draft", action="draft")
        self.slugs["scheduled"] = self.write("scheduled", action="schedule", publish_at=ahead)
        self.slugs["trashed draft"] = self.write("trashed-draft", action="draft")
        self.bob.post(f"/posts/{self.slugs['trashed draft']}/delete")
        self.slugs["trashed schedule"] = self.write(
            "trashed-schedule", action="schedule", publish_at=ahead
        )
        self.bob.post(f"/posts/{self.slugs['trashed schedule']}/delete")
        self.slugs["unpublished"] = self.write("unpublished")
        self.bob.edit(self.slugs["unpublished"], **self.text("unpublished"), action="unpublish")
        self.slugs["rescheduled"] = self.write("before")
        self.slugs["an old address"] = self.slugs["rescheduled"]
        self.bob.edit(
            self.slugs["an old address"],
            **self.text("rescheduled"),
            action="schedule",
            publish_at=ahead,
        )
        self.slugs["rescheduled"] = f"{WORD}-rescheduled"

    def hide_behind_public_posts(self) -> None:
        """What readers see is open; older and newer texts are not theirs to see."""
        self.public = self.bob.write(**OPEN, slug="open")
        self.bob.edit(self.public, **self.words)
        other = self.bob.draft(**self.text("first"))
        self.bob.edit(other, **OPEN, slug="open-too", action="publish")
        gone = self.write("gone")
        self.bob.post(f"/posts/{gone}/delete")
        with self.blog.database.writing() as db:
            for post in self.blog.rows(Post):
                db.add(
                    Autosave(
                        post_id=post.id, user_id=post.author_id, base_version=1, text=self.words
                    )
                )
                db.add(Revision(post_id=post.id, number=90, kind="saved", text=self.words))

    def write(self, slug: str, **fields: str) -> str:
        return self.bob.write(**self.text(slug), **fields)

    def text(self, slug: str) -> dict[str, str]:
        return self.words | {"slug": f"{WORD}-{slug}"}

    @property
    def posts(self) -> list[Post]:
        return [self.stored(slug) for name, slug in self.slugs.items() if "old" not in name]

    def stored(self, slug: str) -> Post:
        return self.bob.stored(slug)

    def cursor(self) -> str:
        """Of the place where a scheduled post would stand in a list."""
        post = self.stored(self.slugs["scheduled"])
        assert post.published_at
        return cursors.cursor_of(post.published_at, post.id)
