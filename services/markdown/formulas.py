"""Formulas: LaTeX to MathML, which browsers set by themselves."""

import html
import re
from itertools import accumulate

LONGEST_FORMULA = 2 * 1024
MOST_FORMULA_BYTES = 24 * 1024  # of all together; what is beyond stays LaTeX
DEEPEST = 30  # braces within braces: the converter recurses

FORMULA = re.compile(
    r'<(span|code) data-math-style="(inline|display)">([^<]*)</\1>'
    r'|<pre><code(?=[^<>]* data-math-style="display")[^<>]*>([^<]*)</code></pre>'
)


def with_formulas(body: str) -> str:
    """$x$, $$x$$, $`x`$ and listings in the language "math"."""
    if "data-math-style" not in body:
        return body
    budget = MOST_FORMULA_BYTES

    def formula(match: re.Match[str]) -> str:
        nonlocal budget
        _, style, short, listed = match.groups()
        latex = html.unescape(short if listed is None else listed).strip()
        budget -= max(len(latex), 10)
        if budget < 0 or len(latex) > LONGEST_FORMULA or depth(latex) > DEEPEST:
            return as_code(latex)
        return mathml(latex, "inline" if style == "inline" else "block")

    return FORMULA.sub(formula, body)


def depth(latex: str) -> int:
    """How many braces are open at once, at most."""
    steps = ((char == "{") - (char == "}") for char in latex)
    return max(accumulate(steps), default=0)


def mathml(latex: str, display: str) -> str:
    from latex2mathml.converter import convert  # heavy, and only posts with formulas need it

    try:
        return str(convert(latex, display=display))
    except Exception:  # whatever is wrong with a formula, the post must come out
        return as_code(latex)


def as_code(latex: str) -> str:
    return f"<code>{html.escape(latex)}</code>"
