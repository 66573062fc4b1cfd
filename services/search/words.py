"""What counts as a word, and which words are the same. Our own: only what is cut and folded here,
before either database sees it, is found alike in both."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

LONGEST_WORD = 64
# Scripts that write without spaces: there each character is a word, and a word is a phrase.
NO_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs without which a word of these is another one: from Devanagari to Sinhala, Tibetan.
SIGNS = "\u0900-\u0963\u0970-\u0dff\u0f00-\u0f03\u0f18-\u0f39\u0f3e-\u0fbc"
# Marks that one may leave out when one types: accents, Hebrew points, Arabic vowels.
MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670"
RUN = re.compile(rf"(?:[A-Za-z0-9]+|[^\W_]|[{SIGNS}{MARKS}{NO_SPACES}])+")
WORD = re.compile(rf"[{NO_SPACES}]|(?:(?![{NO_SPACES}])(?:[^\W_]|[{SIGNS}]))+")
MARK = re.compile(f"[{MARKS}]")


def words_of(text: str) -> Iterator[str]:
    """The words of a text, in order, folded: “Über-Boote” has “uber” and “boote”."""
    return chain.from_iterable(map(folded, RUN.findall(text)))


@lru_cache(maxsize=65_536)
def folded(run: str) -> tuple[str, ...]:
    """The words of a run of letters and digits: without case, accents and forms of typesetting."""
    if run.isascii():
        return (singular(run.lower()[:LONGEST_WORD]),)
    plain = unicodedata.normalize("NFKC", run).casefold()
    plain = MARK.sub("", unicodedata.normalize("NFKD", plain))
    plain = unicodedata.normalize("NFC", plain)
    return tuple(singular(word[:LONGEST_WORD]) for word in WORD.findall(plain))


def singular(word: str) -> str:
    """Without the s of a plural: Harman's stemmer (1991), which is right often enough in English
    and the languages around it, and makes of the same word the same word in any other."""
    if len(word) < 4 or word[-1] != "s" or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and word[-4] not in "ae":
        return f"{word[:-3]}y"
    if word.endswith(("us", "ss", "is")):
        return word
    return word[:-1]
