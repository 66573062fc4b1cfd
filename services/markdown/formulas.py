"""Formulas: LaTeX to MathML, which browsers set by themselves."""

import html
import re

MOST_FORMULA_BYTES = 2 * 1024
MOST_FORMULAS = 500

FORMULA = re.compile(
    r'<(span|code) data-math-style="(inline|display)">([^<]*)</\1>'
    r'|<pre><code(?=[^<>]* data-math-style="display")[^<>]*>([^<]*)</code></pre>'
)


def with_formulas(body: str) -> str:
    """$x$, $$x$$, $`x`$ and listings in the language "math"."""
    if "data-math-style" not in body:
        return body
    return FORMULA.sub(formula, body, count=MOST_FORMULAS)


def formula(match: re.Match[str]) -> str:
    _, style, short, listed = match.groups()
    latex = html.unescape(short if listed is None else listed).strip()
    as_code = f"<code>{html.escape(latex)}</code>"
    if len(latex) > MOST_FORMULA_BYTES:
        return as_code
    from latex2mathml.converter import convert  # heavy, and only posts with formulas need it

    try:
        return str(convert(latex, display="inline" if style == "inline" else "block"))
    except Exception:  # whatever is wrong with a formula, the post must come out
        return as_code
