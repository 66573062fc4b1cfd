"""What authors write becomes what they mean."""

import pytest

from services import markdown


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
        ('![alt](/x.png "Caption")', "<figure><img"),
        ("<kbd>Ctrl</kbd> <mark>m</mark>", "<p><kbd>Ctrl</kbd> <mark>m</mark></p>"),
        ("<details><summary>More</summary>\n\nText\n</details>", "<summary>More</summary>"),
    ],
)
def test_what_authors_write_looks_as_meant(source: str, rendered: str) -> None:
    assert rendered in markdown.render(source)


def test_plain_text_is_the_words_alone() -> None:
    rendered = markdown.render("# Title\n\nSome *words* &amp; more.[^1]\n\n[^1]: A note.")
    assert markdown.plain_text(rendered) == "Title Some words & more."
    assert markdown.opening(rendered) == "Some words & more."
