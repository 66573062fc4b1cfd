"""What differs between two texts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import diffs

texts = st.lists(
    st.lists(st.sampled_from(["a", "heron", "grey,", " ", "„", "b-c"]), max_size=6).map(" ".join),
    max_size=12,
).map("\n".join)


@given(texts, texts)
def test_both_texts_can_be_read_from_the_difference(old: str, new: str) -> None:
    found = diffs.lines(old, new)
    assert [line.text for line in found if line.kind != "added"] == old.splitlines()
    assert [line.text for line in found if line.kind != "removed"] == new.splitlines()


@given(texts, texts)
def test_the_parts_of_a_line_are_the_line(old: str, new: str) -> None:
    for line in diffs.lines(old, new):
        assert "".join(part.text for part in line.parts) in ("", line.text)


def test_of_a_changed_line_the_words_that_changed_are_marked() -> None:
    old, new = diffs.lines("The heron is grey and old.", "The heron is white and old.")
    assert (old.kind, new.kind) == ("removed", "added")
    assert [part.text for part in old.parts if part.is_changed] == ["grey"]
    assert [part.text for part in new.parts if part.is_changed] == ["white"]


def test_lines_with_little_in_common_are_not_taken_apart() -> None:
    old, new = diffs.lines("Nothing of this stays.", "Quite another sentence, and longer")
    assert (old.parts, new.parts) == ((), ())


def test_very_long_texts_are_compared_in_one_piece() -> None:
    old, new = "same\n" + "a\n\n" * 900 + "end", "same\n" + "b\n\n" * 900 + "end"
    kinds = [line.kind for line in diffs.lines(old, new)]
    assert kinds == ["same"] + ["removed"] * 1799 + ["added"] * 1799 + ["same"] * 2


def test_a_page_shows_what_changed_and_a_little_around_it() -> None:
    old = [f"line {n}" for n in range(40)]
    new = [*old[:20], "another", *old[21:]]
    found = diffs.for_page("\n".join(old), "\n".join(new))
    assert [line.text for line in found] == [
        "17 lines that are the same",
        *("line 17", "line 18", "line 19", "line 20"),
        *("another", "line 21", "line 22", "line 23"),
        "16 lines that are the same",
    ]
    assert [line.kind for line in found if line.kind != "same"] == [
        "gap",
        "removed",
        "added",
        "gap",
    ]


def test_few_equal_lines_are_not_left_out() -> None:
    found = diffs.for_page("a\nb\nc\nd", "x\nb\nc\nd")
    assert [line.kind for line in found] == ["removed", "added", "same", "same", "same"]


HALF_A_MEGABYTE = 512 * 1024


WORST = {
    "one line": ("a b " * (HALF_A_MEGABYTE // 4), "a c " * (HALF_A_MEGABYTE // 4)),
    "short lines": ("x\n" * (HALF_A_MEGABYTE // 2), "y\n" * (HALF_A_MEGABYTE // 2)),
    "two lines in turn": ("a\nb\n" * 125, "b\na\n" * 125),
    "two words in turn": ("\n".join(["a b " * 50] * 490), "\n".join(["a c " * 50] * 490)),
    "no line the same": ("\n".join(f"{n}a" for n in range(499)), "\n".join("bcd" * 150)),
}


@pytest.mark.parametrize(("old", "new"), WORST.values(), ids=WORST)
def test_no_text_takes_long_or_fills_a_page(old: str, new: str) -> None:
    started_at = time.thread_time()
    shown = diffs.for_page(old, new)
    assert time.thread_time() - started_at < 10  # seconds; it takes one, or four on a slow machine
    assert len(shown) < 3 * diffs.MOST_LINES
