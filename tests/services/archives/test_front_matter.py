"""What stands above a text, written and read."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from errors import Invalid
from services.archives import front_matter

# Everything that can be stored: see services/text.py.
storable = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x7f\ufffe\uffff").filter(
        lambda each: each >= " " or each in "\t\n"
    ),
    max_size=60,
)
values = storable | st.lists(storable, max_size=3)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), values, max_size=4), storable)
def test_what_is_written_is_read_as_it_was(about: dict[str, Any], content: str) -> None:
    written = front_matter.write(about, content)
    assert front_matter.read(written) == (about, content)
    assert (yaml.safe_load(front_matter.write_yaml(about)) or {}) == about  # so do others


def test_values_stay_what_was_typed() -> None:
    about, _ = front_matter.read("---\ntitle: 2024-05-01\nslug: 0123\nnever: no\n---\n")
    assert about == {"title": "2024-05-01", "slug": "0123", "never": "no"}


def test_toml_is_read_too() -> None:
    text = (
        '+++\ntitle = "A"\ndate = 2024-05-01T10:00:00+02:00\ndraft = true\ntags = ["x"]\n+++\n\nB'
    )
    about, content = front_matter.read(text)
    assert about == {
        "title": "A",
        "date": "2024-05-01 10:00:00+02:00",
        "draft": "true",
        "tags": ["x"],
    }
    assert content == "B"


def test_a_text_with_nothing_above_it_is_a_text() -> None:
    assert front_matter.read("# Hello\n---\n") == ({}, "# Hello\n---\n")


LAUGHS = "a: &a [x,x,x]\n" + "\n".join(
    f"{b}: &{b} [*{a},*{a},*{a}]" for a, b in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (LAUGHS, "References"),
        ("a: &a\n  b: *a", "References"),
        ("a: !!python/object/apply:os.system [id]", "Types"),
        ("!!set {a, b}", "Types"),
        ("a: " + "[" * 60_000, "nested too deeply"),
        ("a: {" * 9, "nested too deeply"),
        ("a: [", "no YAML in line"),
        ("- a\n- b", "names with values"),
        ("a: \x00", "no YAML"),
        ("a: b\n...\nc: d", "no YAML"),
        ("a: " + "x" * 70_000, "At most 64 KB"),
        ("? [a]\n: b", "no YAML"),
    ],
)
def test_what_is_more_than_names_and_values_is_refused(head: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        front_matter.read(f"---\n{head}\n---\ntext")


@pytest.mark.parametrize(
    "text", ["---\na: b", "+++\na = 1\n", "+++\na = \n+++\n", "+++\na = " + "[" * 9000 + "\n+++\n"]
)
def test_what_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        front_matter.read(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for fence in ("---", "+++"):
        try:
            front_matter.read(f"{fence}\n{text}\n{fence}\n")
        except Invalid:
            continue
