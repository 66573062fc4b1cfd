"""Text in XML documents, whatever was typed."""

import re

from markupsafe import Markup

# What XML 1.0 has no way to say, not even escaped (section 2.2).
IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: object) -> Markup:
    """For the text of an element: quotes stay as they are, for the sake of its size."""
    plain = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(possible(plain))  # noqa: S704 - it is escaped


def possible(text: str) -> str:
    """The same without the characters that cannot be in XML."""
    return IMPOSSIBLE.sub("", text)
