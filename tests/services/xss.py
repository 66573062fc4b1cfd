"""Texts that try to run `canary()`: known ones, and every combination of ways to say it."""

from itertools import product
from pathlib import Path

KNOWN = [
    line.replace("\\n", "\n")
    for line in (Path(__file__).parent / "xss.txt").read_text("utf-8").splitlines()
]

ADDRESSES = (
    "javascript:canary()",
    "JaVaScRiPt:canary()",
    "java&Tab;script:canary()",
    "java&#10;script:canary()",
    "&#1;javascript:canary()",
    "javascript&colon;canary()",
    "&#x6A;avascript:canary()",
    "data:text/html,<script>canary()</script>",
    "data:image/svg+xml,<svg/onload=canary()>",
    "vbscript:canary()",
)
PLACES = (
    "[x]({})",
    "[x](<{}>)",
    "![x]({})",
    "![x](<{}.mp4>)",
    "![x](<{}#.mp3>)",
    '![x](<{}> "y")',
    "<{}>",
    "[x]\n\n[x]: {}",
    "[x]\n\n[x]: <{}>",
    "x[^1]\n\n[^1]: [x]({})",
    "[TOC]\n\n# [x]({})",
    "> [!NOTE] [x]({})\n> [x]({})",
    '<a href="{}">x</a>',
    "<a href='{}'>x</a>",
    '<img src="{}">',
    '<img srcset="{} 1x">',
    '<video src="{}" poster="{}"></video>',
    '<audio src="{}"></audio>',
    '<video><source src="{}"></video>',
    '<area href="{}">',
    '<form action="{}"><button formaction="{}">x</button></form>',
    '<iframe src="{}"></iframe>',
    '<object data="{}"></object><embed src="{}">',
    '<base href="{}"><link href="{}" rel=stylesheet>',
    '<meta http-equiv=refresh content="0;url={}">',
    '<svg><a xlink:href="{}" href="{}"><text>x</text></a></svg>',
    '<math href="{}"><mi xlink:href="{}">x</mi></math>',
    '<blockquote cite="{}">x</blockquote>',
    '<table background="{}"><tr><td background="{}">x</table>',
    '<p style="background:url({})">x</p>',
)
EVENTS = (
    "onclick",
    "onerror",
    "onload",
    "onfocus autofocus tabindex=0 onfocus",
    "onmouseover",
    "ontoggle open ontoggle",
    "onanimationstart",
    "ONPOINTERENTER",
    "on\tx",
    "x/onload",
)
ELEMENTS = (
    "a b img p div span h1 table td ul li details summary figure video audio source input math mi "
    "mtext pre code aside nav section time ol svg body x-y"
).split()
# Elements whose content browsers read by other rules, and what tries to get out of it.
SWALLOWING = (
    "noscript textarea title style xmp iframe noembed noframes template script select object "
    "svg math math><mtext svg><desc svg><style math><annotation-xml"
).split()
BREAKING = (
    '<p title="</{0}><img src=x onerror=canary()>">',
    "</{0}><img src=x onerror=canary()>",
    "<!--</{0}><img src=x onerror=canary()>-->",
    "<style></{0}><img src=x onerror=canary()></style>",
    "&lt;/{0}&gt;&lt;img src=x onerror=canary()&gt;",
    "<![CDATA[</{0}><img src=x onerror=canary()>]]>",
)

COMBINED = [
    *(place.replace("{}", address) for place, address in product(PLACES, ADDRESSES)),
    *(f"<{name} src=x {event}=canary()>x</{name}>" for name, event in product(ELEMENTS, EVENTS)),
    *(
        f"<{name}>{inside.format(name.partition('>')[0])}"
        for name, inside in product(SWALLOWING, BREAKING)
    ),
]
PAYLOADS = list(dict.fromkeys(KNOWN + COMBINED))

# Where in a text they may stand.
CONTEXTS = (
    "{}",
    "Words {} words",
    "> {}",
    "- {}\n",
    "*{}*",
    "[TOC]\n\n# {}",
    "[{}](https://example.org)",
    "![{}](x.mp4)",
    "![x](x.png '{}')",
    "x[^1]\n\n[^1]: {}",
    "| a |\n|---|\n| {} |",
    "> [!NOTE] {}\n> x",
    "```html title='{}'\n{}\n```",
    "<details><summary>{}</summary>\n\n{}\n</details>",
    "<b title='{}'>x</b>",
    "$\\text{{}}$",
)
