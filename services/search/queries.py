"""What somebody types to find something: words, "phrases", -without, tag:name. Anything may be
typed; what is no word means nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.search.documents import ANYWHERE, EXACT_TAG, LEVELS
from services.search.words import words_of
from services.tags import slug_of

LONGEST = 200  # characters; the rest is not read
MOST_TERMS, MOST_WORDS = 10, 24
# No index knows what stands side by side: so many posts with all words are looked at themselves.
MOST_PROVED = 4_000

Phrase = tuple[str, ...]
TERM = re.compile(r'(-?)(tag:)?(?:"([^"]*)"?|([^\s"]+))', re.I)
QUOTES = str.maketrans("“”„«»\u2212", '"""""-')


@dataclass(frozen=True)
class Query:
    """What is asked for. All `phrases` must be there (a word is a phrase too) and all `tags`;
    nothing of what is `without`."""

    phrases: tuple[Phrase, ...] = ()
    tags: tuple[str, ...] = ()
    without: tuple[Phrase, ...] = ()
    without_tags: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def asks(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.phrases or self.tags)

    @property
    def only_excludes(self) -> bool:
        return not self.asks and bool(self.without or self.without_tags)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for phrase in self.phrases for word in phrase))


@dataclass(frozen=True)
class Match:
    """One question to an index: it has all of these phrases, not all of `beyond`, none of
    `without`."""

    phrases: tuple[Phrase, ...]
    beyond: tuple[str, ...]
    without: tuple[Phrase, ...]

    @property
    def has_phrases(self) -> bool:
        return any(len(phrase) > 1 for phrase in (*self.phrases, *self.without))

    @property
    def apart(self) -> "Match":
        """The same words, wherever they stand: what its phrases are looked for in."""
        words = dict.fromkeys((word,) for phrase in self.phrases for word in phrase)
        without = tuple(phrase for phrase in self.without if len(phrase) == 1)
        return Match(tuple(words), self.beyond, without)

    def holds(self, line: str) -> bool:
        """Whether its phrases stand in a line of words as `documents.for_sqlite` writes them, and
        those that it is to be without do not."""
        line = f" {line} "
        return all(f" {' '.join(phrase)} " in line for phrase in self.phrases) and not any(
            f" {' '.join(phrase)} " in line for phrase in self.without
        )


def parse(typed: str) -> Query:
    phrases: dict[bool, dict[Phrase, None]] = {False: {}, True: {}}
    tags: dict[bool, dict[str, None]] = {False: {}, True: {}}
    is_cut = len(typed.strip()) > LONGEST
    terms = words = 0
    for minus, tag, said in terms_of(typed.strip()[:LONGEST]):
        phrase = tuple(words_of(said))
        slug = slug_of(said) if tag else ""
        if not (slug if tag else phrase):
            continue
        terms, words = terms + 1, words + len(phrase)
        if terms > MOST_TERMS or words > MOST_WORDS:
            is_cut = True
            break
        if tag:
            tags[minus][slug] = None
        else:
            phrases[minus][phrase] = None
    return Query(
        tuple(phrases[False]), tuple(tags[False]), tuple(phrases[True]), tuple(tags[True]), is_cut
    )


def terms_of(typed: str) -> Iterator[tuple[bool, bool, str]]:
    """Whether it is to be left out, whether it is a tag, and what was said."""
    for found in TERM.finditer(typed.translate(QUOTES)):
        is_at_start = found.start() == 0 or typed[found.start() - 1].isspace()
        minus = bool(found[1]) and is_at_start
        yield minus, bool(found[2]), found[3] if found[3] is not None else found[4]


def matches(query: Query) -> list[Match]:
    """The questions that give the answers in their order: each level, without those before it."""
    tags = tuple((EXACT_TAG + slug,) for slug in query.tags)
    without = query.without + tuple((EXACT_TAG + slug,) for slug in query.without_tags)
    if not query.words:
        return [Match(tags, (), without)]
    found: list[Match] = []
    beyond: tuple[str, ...] = ()
    for level in LEVELS:
        marked = tuple(level + word for word in query.words)
        phrases = (
            query.phrases if level == ANYWHERE else tuple(p for p in query.phrases if len(p) > 1)
        )
        marks = () if level == ANYWHERE else tuple((mark,) for mark in marked)
        found.append(Match((*marks, *phrases, *tags), beyond, without))
        beyond = marked
    return found


def for_sqlite(match: Match) -> str:
    """For MATCH of FTS5. Words are letters and digits: nothing in them can end a quotation."""

    def quoted(phrase: Phrase) -> str:
        return '"' + " ".join(phrase) + '"'

    said = " AND ".join(map(quoted, match.phrases))
    if match.beyond:
        said = f"({said}) NOT ({' AND '.join(quoted((mark,)) for mark in match.beyond)})"
    if match.without:
        said = f"({said}) NOT ({' OR '.join(map(quoted, match.without))})"
    return said


def for_postgres(match: Match) -> str:
    """The same as a tsquery."""

    def quoted(phrase: Phrase) -> str:
        return "(" + " <-> ".join(f"'{word}'" for word in phrase) + ")"

    said = [quoted(phrase) for phrase in match.phrases]
    if match.beyond:
        said.append(f"!({' & '.join(quoted((mark,)) for mark in match.beyond)})")
    return " & ".join([*said, *(f"!{quoted(phrase)}" for phrase in match.without)])
