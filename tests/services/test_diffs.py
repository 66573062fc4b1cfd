"""What differs between two texts."""

from hypothesis import given
from hypothesis import strategies as st

from services import diffs

texts = st.lists(st.sampled_from(["a", "b", "", "c d"]), max_size=12).map("\n".join)


@given(texts, texts)
def test_both_texts_can_be_read_from_the_difference(old: str, new: str) -> None:
    found = diffs.lines(old, new)
    assert [line.text for line in found if line.kind != "added"] == old.splitlines()
    assert [line.text for line in found if line.kind != "removed"] == new.splitlines()


def test_very_long_texts_are_compared_in_one_piece() -> None:
    old, new = "same\n" + "a\n\n" * 900 + "end", "same\n" + "b\n\n" * 900 + "end"
    kinds = [line.kind for line in diffs.lines(old, new)]
    assert kinds == ["same"] + ["removed"] * 1799 + ["added"] * 1799 + ["same"] * 2
