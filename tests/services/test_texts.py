"""What follows from a text: its excerpt and its length."""

import pytest

from services import texts


@pytest.mark.parametrize(
    ("words", "excerpt"),
    [
        ("Short.", "Short."),
        ("word " * 43 + "seven more words follow, and more", "word " * 43 + "seven…"),
        ("潮" * 400, "潮" * texts.EXCERPT_CHARACTERS + "…"),
        ("a " + "潮" * 400, "a " + "潮" * (texts.EXCERPT_CHARACTERS - 2) + "…"),
        ("x" * texts.EXCERPT_CHARACTERS, "x" * texts.EXCERPT_CHARACTERS),
    ],
)
def test_an_excerpt_is_cut_between_words_where_there_are_spaces(words: str, excerpt: str) -> None:
    assert texts.shortened(words) == excerpt


def test_words_are_counted_without_code_and_notes() -> None:
    text = texts.Text(title="T", content="It isn’t *much*.[^1]\n\n```\na b c\n```\n\n[^1]: Note.")
    assert texts.rendered(text)["word_count"] == 3
