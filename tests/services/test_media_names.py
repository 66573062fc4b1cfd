"""Addresses of images: what they say is what was put into them."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import media_names

ID = UUID("0198c0de-0000-7000-8000-00000000beef")
SIZES = st.integers(1, 99_999)


@given(st.text(), SIZES, SIZES)
def test_a_name_says_the_size_whatever_the_file_was_called(
    stem: str, width: int, height: int
) -> None:
    name = media_names.name_for(stem, width, height)
    found = media_names.picture_of(f"/media/{ID}/{name}")
    assert found == media_names.Picture(ID, name, width, height)


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("Sunset 1.JPG", "sunset-1-4x3.webp"),
        ("../../etc/passwd", "etc-passwd-4x3.webp"),
        ("日本", "ri-ben-4x3.webp"),
        ("???", "image-4x3.webp"),
        ("a" * 500, "a" * 60 + "-4x3.webp"),
    ],
)
def test_a_name_is_made_from_that_of_the_file(stem: str, name: str) -> None:
    assert media_names.name_for(stem, 4, 3) == name


@pytest.mark.parametrize(
    "url",
    [
        "/media/1/sunset-4x3.webp",
        f"/media/{ID}/sunset.webp",
        f"/media/{ID}/sunset-4x0.webp",
        f"/media/{ID}/sunset-4x3.webp?w=480",
        f"/media/{ID}/sunset-4x3.png",
        f"/media/{ID}/a/b-4x3.webp",
        f"/media/{ID}/a%20b-4x3.webp",
        f"/media/{ID}/a b-4x3.webp",
        f"/media/{ID}/a,b-4x3.webp",
        f"https://example.org/media/{ID}/sunset-4x3.webp",
        f"/media/{ID}/sunset-100000x3.webp",
        f"/media/{ID}/sunset-٤x3.webp",
        "",
    ],
)
def test_any_other_address_is_no_picture_of_ours(url: str) -> None:
    assert media_names.picture_of(url) is None


def test_an_image_is_offered_in_all_widths_below_its_own() -> None:
    assert media_names.offered_widths(480) == ()
    assert media_names.offered_widths(1440) == (480, 960)
    assert media_names.offered_widths(9000) == media_names.WIDTHS
    picture = media_names.Picture(ID, "sunset-1000x500.webp", 1000, 500)
    assert media_names.srcset(picture) == (
        f"/media/{ID}/sunset-1000x500.webp?w=480 480w, "
        f"/media/{ID}/sunset-1000x500.webp?w=960 960w, "
        f"/media/{ID}/sunset-1000x500.webp 1000w"
    )


def test_every_id_in_a_text_is_found_once() -> None:
    one, two = uuid4(), uuid4()
    text = (
        f'![a](/media/{one}/a-1x1.webp) <img src="/media/{two}/b-1x1.webp?w=480">'
        f"\n\n[again]: /media/{str(one).upper()}/a-1x1.webp /media/none/ /media/{ID}"
    )
    assert media_names.ids_in(text) == {one, two}
