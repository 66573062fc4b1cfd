"""Names of accounts: one canonical form, so that two names that look alike cannot both exist."""

import re
import unicodedata

from languages import _

SHORTEST, LONGEST = 2, 40
SHAPE = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")

# First segments of our addresses, today's and planned, and names that speak for the house.
RESERVED = frozenset(
    """
    about account accounts admin administrator api archive assets atom auth author authors blog
    card comment comments dashboard deleted docs drafts edit editor editors favicon feed feeds
    guest healthz help home host hostmaster info inkstand live login logout mail mailer-daemon
    me media metrics mod moderator new news newsletter no-reply nobody noreply null official
    openapi owner page pages postmaster post posts preview public readers readyz redoc register
    robots root rss search security series settings setup signup site sitemap sitemaps staff
    static status style subscribe support system tag tags team terms token tokens trash
    undefined unsubscribe user username users webmaster well-known ws www
    """.split()
)


def canonical(typed: str) -> str:
    """The form that is stored and compared: NFKC, lower case, trimmed.

    Full-width, circled and other compatibility letters become the plain ones they imitate.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold()).strip()


def problem(username: str) -> str | None:
    """What is wrong with a canonical name, as a sentence; None if it may be taken."""
    if not SHORTEST <= len(username) <= LONGEST:
        return _(
            "Between %(shortest)s and %(longest)s characters, please.",
            shortest=SHORTEST,
            longest=LONGEST,
        )
    if not SHAPE.fullmatch(username):
        return _("Use the letters a to z, digits, and single - or _ between them.")
    if username in RESERVED:
        return _("That name is reserved. Please choose another.")
    return None
