"""The interface in another language: every sentence is there, and says what it should."""

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import languages
from languages import ENGLISH, LANGUAGES, N_, Speech, _, ngettext, speaking
from models import AuditEvent, now
from services import audit_sentences, editor_words, markdown, zones
from tests.blog import Blog, Person
from tests.people import ALICE, PASSWORD

ROOT = Path(__file__).parent.parent
OTHERS = sorted(set(LANGUAGES) - {"en"})
SOURCES = [("*.py", "python"), ("routers/**.py", "python"), ("services/**.py", "python")]
SOURCES += [("web/**.py", "python"), ("templates/**.html", "jinja2")]
SOURCES += [("templates/emails/**.txt", "jinja2")]
PLACE = re.compile(r"%\((\w+)\)s")
TAG = re.compile(r"<[^>]*>")
DETAIL = re.compile(r"\{\w+\}")
SCRIPTS = sorted((ROOT / "public/js").rglob("*.js"))
# A string of a script, what looks like words for people, and where such words are put.
COMMENT = re.compile(r"^\s*//.*$|\s// .*$", re.M)
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\\n]|\\.)*)`')
WORDS = re.compile(r"[A-Z][a-z]+ [a-z]+|[a-z]{2,} [a-z]+ [a-z]{2,}|^[A-Z][a-z]+…")
SHOWN = re.compile(
    r'(?:textContent|ariaLabel|"aria-label"|title|placeholder|confirm|alert)(?:\(|: | = |, )["`][A-Za-z]'
)
KEY = re.compile(r'"([a-z]+[A-Za-z]*)"')


@cache
def said() -> frozenset[str]:
    """Every message that is marked in the code and in templates; of a plural the first form."""
    found = extract_from_dir(
        ROOT,
        SOURCES,
        {"templates/**": {"newstyle_gettext": "true"}},
        keywords={**DEFAULT_KEYWORDS, "N_": None},
    )
    return frozenset(first(message) for _file, _line, message, _comments, _context in found)


def first(message: str | list[str] | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


@cache
def catalogue(language: str) -> Catalog:
    path = languages.FOLDER / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def messages(language: str) -> Iterator[Message]:
    return (message for message in catalogue(language) if message.id)


def forms(message: Message) -> list[str]:
    found = message.string
    return [found] if isinstance(found, str) else list(found or ())


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated_and_none_is_left_over(language: str) -> None:
    known = {first(message.id) for message in messages(language)}
    assert sorted(said() - known) == []
    assert sorted(known - said()) == []
    assert catalogue(language).obsolete == {}


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_empty_or_a_guess(language: str) -> None:
    for message in messages(language):
        assert not message.fuzzy, message.id
        assert all(form.strip() for form in forms(message)), message.id


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_same_places_and_the_same_markup(language: str) -> None:
    for message in messages(language):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        places = {place for each in ids for place in PLACE.findall(each)}
        for form in forms(message):
            assert set(PLACE.findall(form)) <= places, message.id
            assert len(ids) > 1 or set(PLACE.findall(form)) == places, message.id
            assert sorted(TAG.findall(form)) == sorted(TAG.findall(ids[0])), message.id
            bare = TAG.sub("", form)
            assert '"' not in bare, f"would end an attribute: {message.id}"
            assert form.replace("%%", "").count("%") == len(PLACE.findall(form)), message.id


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_scripts_hold_no_words_for_people(script: Path) -> None:
    """They come with the page: in `data-words` for the editor, else in an attribute of their own."""
    code = COMMENT.sub("", script.read_text("utf-8"))
    strings = [text[1] or text[2] or "" for text in STRING.finditer(code)]
    assert [text for text in strings if WORDS.search(text)] == []
    assert SHOWN.findall(code) == []


def test_the_editor_knows_every_sentence_that_it_says() -> None:
    code = "".join(path.read_text("utf-8") for path in SCRIPTS if path.parent.name == "editor")
    known = set(editor_words.words())
    asked = {
        key
        for call in re.findall(r"said\((\"[^,)]*|[^,)]*\?[^,)]*)", code)
        for key in keys_in(call)
    }
    assert sorted(asked - known) == []
    assert sorted(known - set(KEY.findall(code))) == []


def keys_in(call: str) -> list[str]:
    """The names in `said("one"` or `said(is ? "one" : "other"`."""
    return KEY.findall(call.partition("?")[2] or call)


def test_every_sentence_of_the_audit_log_is_marked() -> None:
    ours = {word for words in audit_sentences.OURS.values() for word in words.values()}
    sentences = audit_sentences.SENTENCES
    marked = {*sentences, *sentences.values(), *audit_sentences.DETAILS.values(), *ours}
    assert sorted(marked - said()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_tell_the_same_details(language: str) -> None:
    for message in messages(language):
        for form in forms(message):
            assert sorted(DETAIL.findall(form)) == sorted(DETAIL.findall(first(message.id)))


def test_the_audit_log_is_told_in_german() -> None:
    changed = {"actor": "alice", "before": "reader", "after": "author"}
    by = {"by": "password and recovery code"}
    with speaking(Speech("de")):
        role = AuditEvent(action="role changed", username="bob", details=changed)
        login = AuditEvent(action="logged in", username="", details=by)
        assert audit_sentences.sentence(role) == (
            "alice hat die Rolle von bob geändert: vorher Leser, jetzt Autor."
        )
        assert audit_sentences.sentence(login) == (
            "Jemand hat sich mit Passwort und Wiederherstellungscode angemeldet."
        )
        assert audit_sentences.kind("authenticator app set up") == "Authenticator-App eingerichtet"


TEXT = """
[TOC]

# Ebbe

Worte.[^1]

> [!NOTE]
> Eine Notiz.

> [!WARNING] Note
> Mit eigenem Titel.

- [ ] offen

`<input aria-label="to do">`

[^1]: Am Fuß.
"""


def test_what_the_renderer_says_in_a_text_is_german_too() -> None:
    stored = markdown.render(TEXT)
    assert markdown.said(stored) is stored
    with speaking(Speech("de")):
        assert markdown.render(TEXT) == stored
        html = markdown.said(stored)
    for words in (
        '<p class="admonition-title">Hinweis</p>',
        '<p class="admonition-title">Note</p>',
        '<nav class="toc" aria-label="Inhalt">',
        'aria-label="Link zu diesem Abschnitt"',
        'aria-label="Zurück zum Verweis 1"',
        ' aria-label="offen" disabled',
        '&lt;input aria-label="to do"&gt;',
    ):
        assert words in html, words


def test_sentences_are_said_in_the_language_that_is_spoken() -> None:
    marked = N_("Saved.")
    assert _(marked) == "Saved."
    with speaking(Speech("de")):
        assert _(marked) == "Gespeichert."
        assert _("“%(name)s” is deleted.", name="Möwe") == "„Möwe“ ist gelöscht."
        assert ngettext("%(count)s part", "%(count)s parts", 3, count=3) == "3 Teile"
        assert _("Never said anywhere.") == "Never said anywhere."
        with speaking(ENGLISH):
            assert _(marked) == "Saved."
    assert _(marked) == "Saved."


def test_a_language_that_nobody_speaks_is_english() -> None:
    with speaking(Speech("tlh")):
        assert _("Saved.") == "Saved."


def test_english_needs_no_catalogue() -> None:
    assert languages.words_of("en").single == {}


def test_days_are_written_in_the_language_and_as_chosen() -> None:
    when = now().replace(year=2026, month=3, day=1)
    assert zones.day(when) == "1 March 2026"
    with speaking(Speech("de", "full")):
        assert zones.day(when) == "Sonntag, 1. März 2026"


@pytest.fixture
def german(alice: Person) -> Person:
    """Alice, whose blog speaks German."""
    fields = {"language": "de", "date_format": "long", "per_page": "20"}
    assert alice.post("/admin/settings", fields).status_code == 303
    return alice


def test_pages_for_readers_are_german(german: Person, stranger: Person) -> None:
    slug = german.write("Gezeiten", tags="Meer")
    for path, words in {
        "/": ["Min. Lesezeit", "Anmelden", "Schlagwörter"],
        f"/posts/{slug}": ["Min. Lesezeit"],
        "/tags": ["Nach Namen", "Am meisten benutzt"],
        "/auth/login": ["Benutzername oder E-Mail", "Passwort vergessen?"],
        "/users/register": ["Konto anlegen", "Mindestens 8 Zeichen."],
        "/auth/forgot": ["Link schicken"],
        "/search": ["Suchen"],
    }.items():
        page = stranger.get(path).text
        assert '<html lang="de"' in page, path
        assert [word for word in words if word not in page] == [], path
    missing = stranger.get("/nowhere")
    assert missing.status_code == 404
    assert "Hier ist nichts" in missing.text


def test_pages_for_those_who_write_are_german(german: Person) -> None:
    slug = german.draft("Ebbe")
    for path, words in {
        "/drafts": ["Entwürfe", "angefasst am"],
        "/posts/new": ["Veröffentlichen", "Neuer Beitrag"],
        f"/posts/{slug}/edit": ["Entwurf speichern", "bearbeiten"],
        "/settings": ["Einstellungen", "Zugangstoken"],
        "/admin": ["Ihr Blog", "Einladungen"],
        "/admin/settings": ["Wie sich das Blog zeigt", "Tintenblau"],
        "/media": ["Bilder hinzufügen"],
        "/trash": ["Papierkorb"],
    }.items():
        page = german.get(path).text
        assert [word for word in words if word not in page] == [], path


# Words that many sentences have in English, and none in German; and those of single words.
ENGLISH_WORDS = re.compile(
    r"\b(the|and|you|your|this|that|of|is|are|to|with|not|by|for|or|it|Back|Contents|Copied|Copy"
    r"|Image|Log|Logged|Note|Preview|Registered|Save|Saved|Saving|Skip|Tip|Warning|Write"
    r"|author|done|owner|reader|somebody|registered)\b"
)


def test_no_page_of_a_german_blog_has_english_on_it(
    german: Person, bob: Person, carol: Person, stranger: Person
) -> None:
    text = TEXT.replace("[!WARNING] Note", "[!WARNING]").replace("to do", "x")
    slug = german.write("Gezeiten", text, tags="Meer")
    bob.write("Wellen", "Worte.")
    bob.post("/settings/delete", {"posts": "keep", "password": PASSWORD})
    german.post("/admin/invitations", {"role": "author", "email": "x@example.org"})
    german.post("/admin/users/carol/role", {"role": "author"})
    pages = {path: stranger.get(path) for path in ("/", f"/posts/{slug}", "/posts/wellen")}
    ours = ("/settings/security", "/admin/audit", "/posts/new", f"/posts/{slug}/edit")
    pages |= {path: german.get(path) for path in (*ours, "/admin/users", "/admin/invitations")}
    for path, page in pages.items():
        assert page.status_code == 200, path
        assert [line for line in words_of(page.text) if ENGLISH_WORDS.search(line)] == [], path
    assert "Gelöschtes Konto" in pages["/posts/wellen"].text


class Reader(HTMLParser):
    """Collects what people read or hear of a page, but for code."""

    SAID = ("alt", "aria-label", "placeholder", "title")

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("code", "script", "style"):
            self.inside.append(tag)
        for name, value in attributes:
            if name == "data-words":
                self.words += json.loads(value or "{}").values()
            elif tag != "meta" and (name in self.SAID or name.startswith("data-")):
                self.words.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, data: str) -> None:
        self.words += [] if self.inside else [data]


def words_of(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return reader.words


def test_mistakes_in_forms_are_told_in_german(german: Person, stranger: Person) -> None:
    wrong = stranger.post("/auth/login", {"username": ALICE, "password": "nein"})
    assert "Name und Passwort passen nicht zusammen." in wrong.text
    empty = stranger.post("/users/register", {"username": "x y", "password": "kurz"})
    assert "Benutzen Sie die Buchstaben a bis z" in empty.text
    many = german.post("/admin/settings", {"per_page": "1"}).text
    assert "Nichts, was Sie getippt haben, ist verloren." in many
    assert "Bitte füllen Sie das aus." in german.post("/posts", {"content": "x"}).text


def test_what_is_said_after_a_form_is_german(german: Person) -> None:
    german.post("/admin/settings", {"language": "de", "per_page": "10"})
    assert "Gespeichert. Leser sehen es von jetzt an." in german.get("/admin/settings").text
    german.post("/settings/profile", {"display_name": "Alice"})
    assert "Gespeichert." in german.get("/users/alice").text


def test_mails_are_german(german: Person, blog: Blog, stranger: Person) -> None:
    blog.visitor().post(
        "/users/register",
        {"username": "dora", "password": PASSWORD, "email": "dora@example.org"},
    )
    (mail,) = blog.mails_to("dora@example.org")
    assert mail.subject == "Bestätigen Sie Ihre Adresse für Inkstand"
    assert "Guten Tag dora," in mail.body
    assert "Der Link gilt drei Tage." in mail.body


def test_programs_are_answered_in_english(german: Person, stranger: Person) -> None:
    assert stranger.get("/api/v1/posts/nowhere").json()["title"] == "Nothing here"
    refused = stranger.post("/api/v1/token", json={"username": ALICE, "password": "no"})
    assert "Name und" not in refused.text


def test_what_a_browser_prefers_changes_nothing(german: Person, stranger: Person) -> None:
    pages = {
        re.sub(r"\d\d:\d\d", "", stranger.get("/", headers={"Accept-Language": wish}).text)
        for wish in ("en", "de", "fr, *;q=0.1", "")
    }
    assert len(pages) == 1


def test_english_comes_back(german: Person, stranger: Person) -> None:
    assert "Anmelden" in stranger.get("/").text
    german.post("/admin/settings", {"language": "en", "date_format": "long", "per_page": "20"})
    page = stranger.get("/").text
    assert "Log in" in page
    assert "Anmelden" not in page
