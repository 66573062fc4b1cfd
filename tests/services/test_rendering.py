"""Rendering takes no text amiss: it never fails, never takes long, and never says two things."""

import subprocess
import sys
import threading
import time
from collections import Counter

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import Invalid
from services import markdown, texts
from services.markdown import apart, code, formulas, rendering
from tests.blog import ROOT
from tests.services import hostile, xss

# Half a megabyte is to take a second at most; this is for machines that do much else meanwhile.
MOST_SECONDS = 4
MOST_GROWTH = 3 * 8  # for eight times the text
NOTICEABLE = 0.05
MOST_TIMES_AS_LONG = 16

TEXTS = st.lists(
    st.text(max_size=30)
    | st.text(st.characters(), max_size=5)  # also halves of characters
    | st.sampled_from(list(hostile.PIECES.values()))
    | st.sampled_from(xss.KNOWN),
    max_size=10,
).map("".join)


@pytest.mark.parametrize("name", hostile.PIECES)
def test_half_a_megabyte_of_anything_comes_out_in_time(name: str) -> None:
    """In a thread as small as some systems make them."""
    seconds: dict[int, float] = {}

    def render() -> None:
        for size in (hostile.SIZE // 8, hostile.SIZE):
            text = hostile.text(name, size)
            started_at = time.thread_time()
            html = rendering.rendered(text)
            seconds[size] = time.thread_time() - started_at
            assert len(html) < MOST_TIMES_AS_LONG * size

    usual = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=render)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(usual)
    short, long = seconds.values()
    assert long < MOST_SECONDS
    assert long < MOST_GROWTH * max(short, NOTICEABLE)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_comes_out_and_always_the_same(text: str) -> None:
    rendered = markdown.render(text)
    assert markdown.render(text) == rendered
    rendered.encode()


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_plain_text_is_made_of_what_is_to_be_read(text: str) -> None:
    rendered = markdown.render(text)
    read = "".join(html5lib.parseFragment(rendered).itertext())
    for words in (markdown.plain_text(rendered), markdown.opening(rendered)):
        assert Counter("".join(words.split())) <= Counter(read)
        assert words == " ".join(words.split())


def test_what_cannot_be_rendered_is_shown_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: str) -> str:
        raise RecursionError

    monkeypatch.setattr(rendering, "STEPS", (fail,))
    shown = markdown.render("*a* <script>")
    assert shown == '<pre tabindex="0">*a* &lt;script&gt;</pre>'
    assert "could not be rendered" in caplog.text


def test_long_texts_come_out_of_their_own_process_as_they_would_here() -> None:
    text = "A *long* text — with “quotes”, ~~and~~ `code`.\n\n" * 2_000
    assert len(text) > rendering.LONG
    assert markdown.render(text) == rendering.rendered(text)


def test_others_go_on_while_a_long_text_is_rendered() -> None:
    """Counted in looks at a clock that need the lock of the interpreter, as every other request."""
    text = hostile.text("mixed emphasis")
    longest, is_over = 0.0, threading.Event()

    def look() -> None:
        nonlocal longest
        used = time.process_time()  # of all threads here, so that a busy machine does not count
        while not is_over.is_set():
            time.sleep(0.001)
            longest = max(longest, time.process_time() - used)
            used = time.process_time()

    looking = threading.Thread(target=look)
    looking.start()
    markdown.render(text)
    is_over.set()
    looking.join()
    assert longest < 0.1


def test_a_process_that_dies_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "PROGRAM", "import os; os.kill(os.getpid(), 9)")
    text = "*a* " * rendering.LONG
    assert markdown.render(text).startswith('<pre tabindex="0">*a* *a*')


FIRST_LISTINGS = """
import sys, threading
from services import markdown
sys.setswitchinterval(1e-6)
begin = threading.Barrier(20)
found = []
def first():
    begin.wait()
    found.append(markdown.render("```python\\nx = 1\\n```"))
threads = [threading.Thread(target=first) for _ in range(20)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sum('class="n"' in html for html in found))
"""


def test_the_first_listings_may_come_at_once() -> None:
    """What colours them is loaded with the first one, by whichever thread meets it."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_LISTINGS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("20", "")


def test_too_large_a_page_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LONGEST_PAGE", 1_000)
    with pytest.raises(Invalid) as refused:
        texts.rendered(texts.Text.model_construct(title="Much", content="*a* " * 200))
    assert "two posts" in refused.value.fields["content"]


# Listings as long as any that are coloured, on which some lexer or other took seconds.
SLOW = ("a" + "\n" * 99, "a (b) {\n")


@pytest.mark.parametrize("piece", SLOW, ids=["blank lines", "blocks"])
def test_no_language_is_slow_to_colour(piece: str) -> None:
    listing = (piece * code.LONGEST_LISTING)[: code.LONGEST_LISTING]
    assert code.looks_like_code(listing)
    for language in code.LANGUAGES:
        started_at = time.thread_time()
        code.coloured(listing, language, code.Budget())
        assert time.thread_time() - started_at < 6 * code.MOST_COLOURING_SECONDS, language


@pytest.mark.parametrize(
    "listing",
    ["x = 1\n" * 3_000, "x" * 501, "a" + " " * 100 + "b", "a" + "\n" * 100 + "b", "", "\n"],
    ids=["long", "wide", "gap", "blank lines", "nothing", "a line end"],
)
def test_what_does_not_look_like_code_stays_uncoloured(listing: str) -> None:
    assert code.coloured(listing, "python", code.Budget()) is None


def test_colours_and_formulas_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MOST_COLOURING_SECONDS", 60)  # however slow this machine is
    listings = "```python\nx = 1\n" + "y = 2\n" * 2_000 + "```\n\n"
    coloured = rendering.rendered(listings * 12).count('<span class="n">x</span>')
    assert coloured == code.MOST_COLOURED_BYTES // (6 * 2_001)
    sums = rendering.rendered(f"${'x+' * 500}x$\n\n" * 50).count("<math")
    assert sums == formulas.MOST_FORMULA_BYTES // 1_001


def test_only_so_many_players_ask_for_their_files() -> None:
    html = markdown.render("![a](b.mp4)\n\n" * 150)
    assert html.count("<video ") == 100
    assert html.count('<a href="b.mp4"') == 150
