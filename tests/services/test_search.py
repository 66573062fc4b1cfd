"""How words are cut, questions read and documents written: the same for both databases."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from services import search
from services.search import documents, queries
from services.search.excerpts import Part, excerpt, marked
from services.search.index import beginnings
from services.search.words import words_of
from tests.blog import Blog, Person


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Four ropes, held.", ["four", "rope", "held"]),
        ("Über-Boote", ["uber", "boote"]),
        ("berries series species", ["berry", "sery", "specy"]),
        ("glass virus this bus", ["glass", "virus", "this", "bus"]),
        ("l’été d'Éric", ["l", "ete", "d", "eric"]),
        ("東京tower", ["東", "京", "tower"]),
        ("ＦＵＬＬ ﬁn", ["full", "fin"]),
        ("C++ & C#", ["c", "c"]),
        ("… — !", []),
        ("a" * 100, ["a" * 64]),
    ],
)
def test_words_are_cut_and_folded(written: str, words: list[str]) -> None:
    assert list(words_of(written)) == words


def test_a_question_is_read_as_it_is_meant() -> None:
    query = queries.parse('tide "Four Ropes" -moon tag:"Wooden boats" -tag:Sea Tides')
    assert query.phrases == (("tide",), ("four", "rope"))
    assert query.tags == ("wooden-boats",)
    assert query.without == (("moon",),)
    assert query.without_tags == ("sea",)
    assert not query.is_cut
    assert queries.parse("well-made") == queries.parse('"well made"')


@given(st.text(max_size=400))
def test_a_question_is_bounded_and_cannot_end_a_quotation(typed: str) -> None:
    query = queries.parse(typed)
    assert len(query.phrases) + len(query.without) <= queries.MOST_TERMS
    assert len(query.words) <= queries.MOST_WORDS
    for word in query.words:
        assert not set(word) & set("\"'\\ ¦=#*@-:&|!<>()")
    for match in queries.matches(query) if query.asks else []:
        assert queries.for_sqlite(match).count('"') % 2 == 0
        assert queries.for_postgres(match).count("'") % 2 == 0


LETTERS = st.characters(blacklist_categories=["Cs"])
SYNTAX = st.sampled_from(
    [
        '"',
        "-",
        "tag:",
        "NEAR",
        "AND",
        "NOT",
        "*",
        ":",
        "(",
        ")",
        "boat",
        "'",
        "\\",
        "\x00",
        " ",
        "<->",
    ]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(SYNTAX | LETTERS, max_size=60).map("".join))
def test_no_question_is_a_fault(running_blog: Blog, typed: str) -> None:
    with running_blog.database.reading() as db:
        search.find(db, typed)
        search.suggest(db, typed)


WORDS = ("tide", "moon", "boat", "knots", "rope", "東京", "été", "sea")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6),
    st.lists(
        st.tuples(st.sampled_from(["", "-", '"']), TEXTS.map(lambda text: text[:20])),
        min_size=1,
        max_size=3,
    ),
)
def test_both_databases_find_what_a_plain_reading_finds(
    blog: Blog, bob_id: Any, texts: list[tuple[str, str]], terms: list[tuple[str, str]]
) -> None:
    """The order of a small blog is worked out here once more, without any index."""
    typed = " ".join(f'"{said}"' if mark == '"' else f"{mark}{said}" for mark, said in terms)
    query = queries.parse(typed)
    with blog.database.writing() as db:
        clear(db)
        posts = [post(db, bob_id, number, *each) for number, each in enumerate(texts)]
    with blog.database.reading() as db:
        found = [int(hit.path.rpartition("-")[2]) for hit in search.find(db, typed).hits]
    ranks = [(rank(query, title, text), -number) for number, (title, text) in enumerate(texts)]
    expected = [-number for place, number in sorted(ranks) if place < len(documents.LEVELS)]
    assert found == (expected if query.asks else [])
    assert len(posts) == len(texts)


def rank(query: queries.Query, title: str, text: str) -> int:
    lines = [list(words_of(title)), list(words_of(text))]
    if not all(has(lines, phrase) for phrase in query.phrases):
        return 9
    if any(has(lines, phrase) for phrase in query.without):
        return 9
    in_title, in_text = lines
    if all(word in in_title for word in query.words):
        return 0
    if all(word in in_title or in_text.count(word) >= 3 for word in query.words):
        return 2
    return 3


def has(lines: list[list[str]], phrase: queries.Phrase) -> bool:
    size = len(phrase)
    return any(
        tuple(line[at : at + size]) == phrase
        for line in lines
        for at in range(len(line) - size + 1)
    )


def clear(db: Session) -> None:
    from sqlalchemy import delete

    from models import Post

    db.execute(delete(Post))


def post(db: Session, author: Any, number: int, title: str, text: str) -> Any:
    from datetime import timedelta

    from models import Post, now

    at = now() - timedelta(days=1) + timedelta(minutes=number)
    made = Post(
        author_id=author,
        slug=f"text-{number}",
        title=title,
        content=text,
        html=f"<p>{text}</p>",
        renderer=1,
        excerpt="",
        word_count=1,
        published_at=at,
        first_published_at=at,
    )
    db.add(made)
    search.put(db, made)
    return made


@pytest.fixture
def bob_id(bob: Person) -> Any:
    from models import User

    return next(user.id for user in bob.blog.rows(User) if user.username == bob.username)


def test_a_text_of_any_length_and_any_words_can_be_indexed(bob: Person) -> None:
    """What is beyond the places of a tsvector is still found, word by word."""
    many = " ".join(f"{number:x}q" for number in range(40_000))
    bob.write("Long", f"{many} lastword")
    bob.write("Frequent", "the heron " * 20_000 + "endword")
    with bob.blog.database.reading() as db:
        for typed in ("lastword", "0q", "9c3fq endword -x", '"0q 1q"', "endword", '"the heron"'):
            expected = ["Long"] if typed in ("lastword", "0q", '"0q 1q"') else ["Frequent"]
            hits = [hit.title[0].text for hit in search.find(db, typed).hits]
            assert hits == ([] if "9c3fq" in typed else expected), typed


def test_a_document_fits_into_a_row() -> None:
    wide = " ".join(chr(0x20000 + number) * 1 for number in range(40_000))
    made = documents.document_of("Wide", [("tag", "Tag")], f"<p>{wide}</p>")
    assert len(documents.for_postgres(made).encode()) < 1_000_000
    assert "=wide" in made.apart
    assert "@tag" in made.apart


def test_an_excerpt_is_text_in_parts() -> None:
    html = "<p>One &lt;b&gt; two</p><pre><code>three</code></pre><p>f<em>o</em>ur</p>"
    parts = excerpt(html, (("four",), ("three",)))
    assert "".join(part.text for part in parts) == "One <b> two three four"
    assert [part.text for part in parts if part.is_mark] == ["three", "four"]
    assert excerpt("<p>cut in <a hre", (("cut",),)) == []
    assert excerpt(html, (("five",),)) == []
    assert marked("Die Äpfel", (("apfel",),)) == [Part("Die "), Part("Äpfel", is_mark=True)]


@pytest.mark.parametrize(
    ("text", "typed", "marks"),
    [
        ("Это большой, «мирный» мир", "мир", ["мир"]),
        ("Это большой, «мирный» мир", "мирный", ["мирный"]),
        ("Ο μεγάλος κόσμος", "κοσμος", ["κόσμος"]),
        ("זה עולם גדול", "עולם", ["עולם"]),
        ("यह हिन्दी है", "हिन्दी", ["हिन्दी"]),
        ("東京と東の京", "東京", ["東", "京"]),
        ("東の京", "東京", []),
        ("Python入門と入門書", "入門", ["入", "門", "入", "門"]),
        ("Python入門", "python", ["Python"]),
        ("ガイド、カ\u3099イト\u3099", "ガイド", ["ガ", "イ", "ド", "カ\u3099", "イ", "ト\u3099"]),
        ("mid–été, boat", "été", ["été"]),
        ("boat, aboat, bоat", "boat", ["boat"]),
        ("l’été 2026", "2026", ["2026"]),
        ("ｶﾞｲﾄﾞ", "イガ", []),
    ],
)
def test_what_is_marked_is_what_was_asked_for_in_every_script(
    text: str, typed: str, marks: list[str]
) -> None:
    phrases = queries.parse(typed).phrases
    found = [part.text for part in marked(text, phrases) if part.is_mark]
    assert "".join(found) == "".join(marks)
    shown = [part.text for part in excerpt(f"<p>{text}</p>", phrases) if part.is_mark]
    assert shown == found


@given(st.text(max_size=300), st.text(alphabet="ab é東s", min_size=1, max_size=10))
def test_an_excerpt_never_changes_a_text(text: str, typed: str) -> None:
    phrases = queries.parse(typed).phrases
    assert "".join(part.text for part in marked(text, phrases)) == text
    for part in excerpt(f"<p>{text}</p>", phrases):
        assert part.text


def test_a_title_begins_at_each_of_its_words() -> None:
    assert beginnings("The four Ropes") == [b"the four rope", b"four rope", b"rope"]
    assert all(len(key) <= 240 for key in beginnings("東" * 200))
    assert re.fullmatch(rb"[^\xff]*", b"".join(beginnings("ÿ" * 200)))
