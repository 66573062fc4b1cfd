"""What the index knows of a post: its words in order, and marks that say where they stand.

A mark is a word behind a sign. Each implies the next, so that one look at the index answers
whether all words of a question stand in the title, at least in tags, and so on.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.search.words import words_of

IN_TITLE, IN_TAGS, OFTEN, ANYWHERE = LEVELS = ("=", "#", "*", "")
EXACT_TAG = "@"
OFTEN_ENOUGH = 3  # or once in a heading
GAP = "¦"  # stands between what is no phrase

# What a tsvector can hold, with some room: a row of 1 MB, 16,383 places and 255 of a word.
# The other database would hold more, but is to find the same.
MOST_ORDERED, MOST_OF_A_WORD, MOST_BYTES = 15_000, 255, 700_000

HEADING = re.compile(r"<h[1-6][^>]*>(.*?)</h[1-6]>", re.S)
UNREAD = re.compile(r"<(math|nav)\b.*?</\1>", re.S)
INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|code|del|em|i|ins|kbd|mark|q|s|small|span|strong|sub|u)\b[^<>]*>"
)
TAG = re.compile(r"<[^<>]*>")


def text_of(rendered: str) -> str:
    """All that can be read in rendered HTML, code and captions too, without markup."""
    inline = INLINE.sub("", UNREAD.sub(" ", rendered))
    return " ".join(html.unescape(TAG.sub(" ", inline)).split())


@dataclass
class Document:
    """Words in their places, and `apart` those that have none: marks, and the rest of a text that
    is too long."""

    ordered: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)


def document_of(title: str, tags: Sequence[tuple[str, str]], rendered: str) -> Document:
    """The document of a post; a tag is its slug and its name."""
    in_title = list(words_of(title))
    in_tags = [list(words_of(name)) for _, name in tags]
    in_text = list(words_of(text_of(rendered)))
    marks = {EXACT_TAG + slug for slug, _ in tags}
    near = set(in_title)
    marks |= {IN_TITLE + word for word in near}
    near |= {word for words in in_tags for word in words}
    marks |= {IN_TAGS + word for word in near}
    near |= {word for word, number in Counter(in_text).items() if number >= OFTEN_ENOUGH}
    near |= {word for heading in HEADING.findall(rendered) for word in words_of(text_of(heading))}
    marks |= {OFTEN + word for word in near}
    lines = [in_title, *in_tags, in_text]
    everything = [word for line in lines for word in (*line, GAP)]
    if fits(marks, everything):
        return Document(everything, sorted(marks))
    made = Document()
    room = Room()
    made.apart += sorted(mark for mark in marks if room.holds(mark))
    made.ordered = list(in_places(everything[:MOST_ORDERED], room))
    rest = dict.fromkeys(everything[MOST_ORDERED:])
    made.apart += [word for word in rest if word != GAP and room.is_new(word) and room.holds(word)]
    return made


def fits(marks: set[str], everything: list[str]) -> bool:
    """Whether a row has room for all of it, as it has for most texts: nobody has to count then."""
    if len(everything) > MOST_ORDERED or max(Counter(everything).values()) > MOST_OF_A_WORD:
        return False
    letters = sum(map(len, marks)) + sum(map(len, everything))
    return letters * 4 + (len(marks) + len(everything)) * 8 <= MOST_BYTES


class Room:
    """How much of it is left in a row."""

    def __init__(self) -> None:
        self.left = MOST_BYTES
        self.known: set[str] = set()

    def is_new(self, word: str) -> bool:
        return word not in self.known

    def holds(self, word: str) -> bool:
        """Take the room of a word, if there is enough."""
        if self.is_new(word):
            needed = len(word.encode()) + 8
            if needed > self.left:
                return False
            self.left -= needed
            self.known.add(word)
        return True


def in_places(words: Iterable[str], room: Room) -> Iterable[str]:
    count: Counter[str] = Counter()
    for word in words:
        count[word] += 1
        yield word if count[word] <= MOST_OF_A_WORD and room.holds(word) else GAP


def for_sqlite(document: Document) -> str:
    """A line that its tokenizer cuts at spaces, and nowhere else."""
    return f" {GAP} ".join((" ".join(document.ordered), *document.apart))


def for_postgres(document: Document) -> str:
    """A tsvector as text. Words are letters and digits, and marks what is above: nothing in them
    can end a quotation."""
    places: dict[str, list[int]] = {word: [] for word in document.apart}
    for place, word in enumerate(document.ordered, 1):
        if word != GAP:
            places.setdefault(word, []).append(place)
    return " ".join(
        f"'{word}'" + ":" * bool(at) + ",".join(map(str, at)) for word, at in places.items()
    )
