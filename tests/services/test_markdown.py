"""What authors write becomes what they mean."""

import re

import pytest

from services import markdown, media_names


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("*a* **b** `c` ~~d~~", "<p><em>a</em> <strong>b</strong> <code>c</code> <del>d</del></p>"),
        ('"Quotes" -- and...', "<p>“Quotes” – and…</p>"),
        ("https://example.org", '<a href="https://example.org" rel="noopener">'),
        ("| a | b |\n|:-:|--:|\n| 1 | 2 |", '<td align="right">2</td>'),
        ("| a |\n|---|\n| 1 |", '<div class="wide-table" tabindex="0"><table>'),
        (
            "- [x] done\n- [ ] open",
            '<input type="checkbox" checked="" aria-label="done" disabled=""> done',
        ),
        ("A[^n]\n\n[^n]: Note.", '<sup class="footnote-ref"><a href="#fn-n" id="fnref-n"'),
        ("> [!WARNING]\n> Wet paint.", '<aside class="admonition warning">'),
        ("## A *title*", '<h2 id="h-a-title">A <em>title</em><a class="anchor" href="#h-a-title"'),
        ("## A\n\n## A", 'id="h-a-2"'),
        ("```python\nx = 1\n```", '<span class="n">x</span>'),
        ("```nonsense\nx < 1\n```", "<code>x &lt; 1\n</code>"),
        ("    indented", '<pre tabindex="0"><code>indented\n</code></pre>'),
        ("$x^2$", "<msup><mi>x</mi><mn>2</mn></msup>"),
        ("$\\begin{$", "<code>"),
        ("$`x^2`$", "<msup>"),
        ("```math\nx^2\n```", 'display="block"><mrow><msup>'),
        (f"${'{' * 31}x{'}' * 31}$", "<code>{{"),
        ("> [!TIP] A *title* & more\n> Words.", 'admonition-title">A *title* &amp; more</p>'),
        (
            '```python title="a & <b>.py"\nx\n```',
            '<figure class="listing"><figcaption>a &amp; &lt;b&gt;.py</figcaption><pre',
        ),
        ("```python title=a.py\nx\n```", "<figcaption>a.py</figcaption>"),
        ("```js\nlet x\n```", '<span class="kd">let</span>'),
        ("```c++\n\n  x\n```", "<code>\n"),
        ("- [x] a\n\n> - b", '<li class="task-list-item">'),
        ("www.example.org", '<a href="http://www.example.org" rel="noopener">'),
        ('![alt](/x.png "Caption")', "<figure><img"),
        ("<kbd>Ctrl</kbd> <mark>m</mark>", "<p><kbd>Ctrl</kbd> <mark>m</mark></p>"),
        ("<details><summary>More</summary>\n\nText\n</details>", "<summary>More</summary>"),
    ],
)
def test_what_authors_write_looks_as_meant(source: str, rendered: str) -> None:
    assert rendered in markdown.render(source)


def test_headings_of_one_name_have_ids_of_their_own() -> None:
    html = markdown.render("# A\n# A\n# A 2\n# A\n# ?\n# $x$\nB\n\nC\n===\n")
    ids = re.findall(r' id="([^"]*)"', html)
    assert ids == ["h-a", "h-a-2", "h-a-2-2", "h-a-3", "h-section", "h-x", "h-c"]


def test_contents_are_nested_as_the_headings_are() -> None:
    source = "[TOC]\n\n### A\n## B\n### C *c* [d](/e)[^1]\n###### D <b>\n## E\n\n[TOC]\n\n[^1]: F"
    html = markdown.render(source)
    lists = html[html.index("<nav") : html.index("</nav>")]
    assert re.sub(r"<a [^>]*>|</a>|<nav[^>]*>", "", lists) == (
        "<ul><li>A</li><li>B<ul><li>C c d<ul><li>D</li></ul></li></ul></li><li>E</li></ul>"
    )
    assert re.findall(r'<a href="#(h-[^"]*)"', lists) == re.findall(r'id="(h-[^"]*)"', html)
    assert html.startswith('<nav class="toc" aria-label="Contents">')
    assert html.count("<nav") == 1


def test_contents_of_nothing_are_nothing() -> None:
    assert markdown.render("Words.\n\n[TOC]\n") == "<p>Words.</p>\n\n"
    assert "[TOC]" in markdown.render("`[TOC]` and [TOC]\n\n# A")


PICTURE = "/media/0198c0de-0000-7000-8000-00000000beef/sunset-1000x500.webp"


def test_an_image_of_ours_comes_in_the_size_that_suits_the_screen() -> None:
    html = markdown.render(f"![A *sunset*]({PICTURE})")
    for attribute in (
        'alt="A sunset"',
        'width="1000" height="500"',
        f'srcset="{PICTURE}?w=480 480w, {PICTURE}?w=960 960w, {PICTURE} 1000w"',
        f'sizes="{media_names.IN_TEXT}"',
        'loading="lazy"',
        'decoding="async"',
    ):
        assert attribute in html
    alone = markdown.render(f'![A sunset]({PICTURE} "In *May*")')
    assert f'sizes="{media_names.ALONE}"' in alone
    assert "<figcaption>In *May*</figcaption></figure>" in alone
    assert " title=" not in alone


def test_every_image_waits_until_it_is_needed() -> None:
    html = markdown.render('![a](b) <img src="c"> <IMG src=d><image src=e>\n\n![f](g "h") i')
    assert html.count("<img ") == html.count('loading="lazy"') == 5
    assert html.count('decoding="async"') == 3  # not those that are spelled in odd ways
    assert "<figure" not in html


def test_no_srcset_but_ours_is_let_through() -> None:
    for srcset in ("https://x/y 1x", f"{PICTURE} 1000w, //x 2x", "javascript:x 1w", f"{PICTURE}"):
        assert "srcset" not in markdown.render(f'<img src="a" srcset="{srcset}" sizes="100vw">')


@pytest.mark.parametrize(
    ("address", "element"),
    [
        ("https://example.org/talk.mp4", "video"),
        ("/a.WEBM", "video"),
        ("a.ogv?b=c.png#d", "video"),
        *((f"a.{extension}", "audio") for extension in ("mp3", "ogg", "oga", "m4a", "wav")),
        *((f"a.{extension}", "audio") for extension in ("flac", "opus")),
        ("a.mp4.png", "img"),
        ("https://mp4", "img"),
        ("mp4", "img"),
        ("a?b.mp4", "img"),
        ("http://[x.mp4", "img"),
    ],
)
def test_files_that_play_get_a_player(address: str, element: str) -> None:
    html = markdown.render(f'![A talk](<{address}> "May")\n\nin ![text](<{address}>)')
    assert html.count(f"<{element} ") == 2
    assert html.count("<figcaption>May</figcaption></figure>") == 1
    if element != "img":
        assert html.count('preload="metadata" controls=""><a href=') == 2
        assert 'aria-label="A talk"' in html
        assert ">A talk</a></" in html


def test_plain_text_knows_no_contents_and_no_players() -> None:
    rendered = markdown.render("[TOC]\n\n# One\n\nTwo ![three](a.mp4) ![four](b.png)")
    assert markdown.plain_text(rendered) == "One Two"


def test_plain_text_is_the_words_alone() -> None:
    rendered = markdown.render("# Title\n\nSome *words* &amp; more.[^1]\n\n[^1]: A note.")
    assert markdown.plain_text(rendered) == "Title Some words & more."
    assert markdown.opening(rendered) == "Some words & more."
