"""The cheat sheet: what it shows is what the renderer does."""

import re

from languages import Speech, speaking
from services import cheat_sheet, markdown

# What each example is there to show.
SHOWS = {
    "Emphasis": "<del>",
    "Headings": "<h3 ",
    "Links": "<a href",
    "Lists": "<ol>",
    "Tasks": 'type="checkbox"',
    "Quotes": "<blockquote>",
    "Code": '<span class="nb">print</span>',
    "A listing with a title": "<figcaption>boat.toml</figcaption>",
    "Tables": '<td align="right">',
    "Images": "<img ",
    "Images with a caption": "<figcaption>",
    "Video and sound": "<video ",
    "Footnotes": '<section class="footnotes">',
    "Notes that stand out": '<aside class="admonition warning">',
    "Formulas": "<mfrac>",
    "More to unfold": "<summary>",
    "Contents": '<nav class="toc"',
    "A line between": "<hr>",
    "As it is typed": "*not leaning*",
    "Keys, marks, small print": "<kbd>",
}


def test_every_example_becomes_what_it_is_there_to_show() -> None:
    assert {each.name for each in cheat_sheet.examples()} == set(SHOWS)
    for example in cheat_sheet.examples():
        in_a_text = f"{example.source}\n\n## A chapter"
        assert SHOWS[example.name] in markdown.render(in_a_text), example.name
        assert bool(example.html) != bool(example.says)
        assert example.html in ("", markdown.render(example.source))


def test_it_is_in_the_language_of_the_blog() -> None:
    english = {each.name: each for each in cheat_sheet.examples()}
    with speaking(Speech("de")):
        german = {each.name: each for each in cheat_sheet.examples()}
    assert german.keys() == english.keys()
    same = [name for name in german if german[name].source == english[name].source]
    assert same == ["Contents"]
    assert set(cheat_sheet.SOURCES["de"]) == german.keys() - set(same)
    kind = re.compile(r"<[a-z0-9]+")
    for name, example in german.items():
        assert kind.findall(example.html) == kind.findall(english[name].html), name


def test_it_asks_other_sites_for_nothing() -> None:
    assert not any(" src=" in example.html for example in cheat_sheet.examples())


def test_it_is_rendered_once() -> None:
    assert cheat_sheet.examples() is cheat_sheet.examples()
