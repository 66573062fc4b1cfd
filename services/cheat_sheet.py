"""What one can type, and what becomes of it."""

from dataclasses import dataclass
from functools import cache

from languages import N_, spoken
from services import cheat_sheet_german, markdown


@dataclass(frozen=True)
class Example:
    """`html` is safe to show; `says` stands in its place where a picture would need a file."""

    name: str
    source: str
    html: str
    says: str = ""


def examples() -> tuple[Example, ...]:
    """The whole sheet, rendered once in the life of a process, and for each language."""
    return sheet_in(spoken().language)


@cache
def sheet_in(language: str) -> tuple[Example, ...]:
    return tuple(
        Example(name, source, "" if says else markdown.said(markdown.render(source)), says)
        for name, english, says in SHEET
        for source in [SOURCES.get(language, {}).get(name, english)]
    )


SOURCES: dict[str, dict[str, str]] = {"de": cheat_sheet_german.SOURCES}


SHEET = (
    (N_("Emphasis"), "*leaning*, **strong**, ~~struck out~~", ""),
    (N_("Headings"), "## A chapter\n\n### A part of it", ""),
    (N_("Links"), "[the harbour](https://example.org), or just https://example.org", ""),
    (N_("Lists"), "- rope\n- tar\n  - and a brush\n\n1. first\n2. second", ""),
    (N_("Tasks"), "- [x] paint the hull\n- [ ] wait for spring", ""),
    (N_("Quotes"), "> Rope forgets nothing.\n>\n> — a rigger", ""),
    (N_("Code"), '`one word`, or lines of it:\n\n```python\nprint("ahoy")\n```', ""),
    (N_("A listing with a title"), '```toml title="boat.toml"\nname = "Petrel"\n```', ""),
    (N_("Tables"), "| tide | hour |\n|------|-----:|\n| high | 6:12 |\n| low  | 12:30 |", ""),
    (
        N_("Images"),
        "![What it shows](https://…/boat.webp)",
        N_("The image. Describe it for those who cannot see it."),
    ),
    (
        N_("Images with a caption"),
        '![What it shows](https://…/boat.webp "The Petrel in May")',
        N_("The image, and the caption below it. Both need a paragraph of their own."),
    ),
    (
        N_("Video and sound"),
        "![A talk about knots](https://…/talk.mp4)",
        N_("A player, for .mp4, .webm, .ogv, .mp3, .ogg, .oga, .m4a, .wav, .flac and .opus."),
    ),
    (N_("Footnotes"), "Ropes shrink.[^wet]\n\n[^wet]: When they are wet.", ""),
    (
        N_("Notes that stand out"),
        "> [!NOTE]\n> Or TIP, IMPORTANT, WARNING, CAUTION.\n\n> [!WARNING] Wet paint\n> With a title of its own.",
        "",
    ),
    (
        N_("Formulas"),
        "$e^{i\\pi} = -1$, or on a line of its own:\n\n$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$",
        "",
    ),
    (
        N_("More to unfold"),
        "<details>\n<summary>The recipe</summary>\n\nLinseed oil, and *patience*.\n\n</details>",
        "",
    ),
    (N_("Contents"), "[TOC]", N_("A list of all headings, with links to them.")),
    (N_("A line between"), "above\n\n---\n\nbelow", ""),
    (N_("As it is typed"), "\\*not leaning\\*", ""),
    (
        N_("Keys, marks, small print"),
        "<kbd>Ctrl</kbd> <mark>marked</mark> H<sub>2</sub>O <small>small</small>",
        "",
    ),
)
