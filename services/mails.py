"""The outbox: a mail is a row in the transaction that causes it, and jobs deliver it later.

A template is plain text: its first line is `Subject: ...`, then an empty line, then the body.
"""

from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlmodel import Session

from backends.mail import ONE_ADDRESS
from database import after_commit
from languages import gettext, ngettext, speaking
from models import Mail
from services import site, zones
from services.text import NOT_IN_A_LINE, UNSTORABLE
from settings import Settings

TEMPLATES = Path(__file__).parent.parent / "templates" / "emails"
LONGEST_SUBJECT = 200
QUEUED = "mail queued"


def queue(
    db: Session, settings: Settings, recipient: str, template: str, /, **context: Any
) -> Mail:
    """Put a mail into the outbox; it is sent once this transaction is committed.

    `template` is a file of templates/emails without its ending. It knows `context`, `site_name` and
    `link_base`, which every link begins with, and has to use nothing that was not given. Whatever
    is inserted stays in its line: no value can add a header, or a line of its own to the text.

    Raises:
        ValueError: `recipient` is not a single address.
    """
    if len(recipient) > 254 or not ONE_ADDRESS.fullmatch(recipient):
        raise ValueError("A mail goes to one address.")
    blog = site.of(db, settings)
    everywhere = {"site_name": blog.site_name, "link_base": settings.link_base}
    with speaking(blog.speech):
        subject, body = render(template, everywhere | context, settings.zone)
    mail = Mail(recipient=recipient, subject=subject, body=body)
    db.add(mail)
    after_commit(db, QUEUED)
    return mail


def render(template: str, context: dict[str, Any], zone: tzinfo = UTC) -> tuple[str, str]:
    """Subject and body."""
    text = environment(zone).get_template(f"{template}.txt").render(context)
    footer = environment(zone).get_template("_footer.txt").render(context)
    first, _, body = text.partition("\n")
    assert first.startswith("Subject: "), f"{template}.txt must begin with its subject"
    subject = " ".join(first.removeprefix("Subject: ").split())
    return subject[:LONGEST_SUBJECT], body.strip() + "\n" + footer


@cache
def environment(zone: tzinfo) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - plain text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=in_its_line,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= zones.words(zone)
    return environment


def in_its_line(value: object) -> object:
    """What a template inserts, without the characters that would begin or reorder a line."""
    return UNSTORABLE.sub("\ufffd", NOT_IN_A_LINE.sub(" ", str(value)))
