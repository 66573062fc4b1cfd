"""A number for what readers see. Whoever changes that makes it greater, in the same transaction, so
that every process can tell from the database whether what it keeps is still true.

Nobody has to remember it: what a writing session does to the tables is watched here. When in
doubt the number grows; it must not for what readers cannot see, or one author who types would
keep all pages from being kept.
"""

import re
import time
from collections.abc import Iterable
from itertools import chain
from typing import Any

from sqlalchemy import Delete, Insert, TextClause, Update, event, inspect, text
from sqlalchemy.orm import ORMExecuteState, UOWTransaction
from sqlalchemy.orm import Session as AnySession
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

from models import Post

CHANGED = "public changed"  # after the commit; listeners get the new version
MARK = "changes what readers see"

# Tables of which readers see nothing, or only together with something that counts: the addresses
# that things had before lead elsewhere, and no page shows them. Every other table counts, also one
# that is new.
UNSEEN_TABLES = frozenset(
    """
    alembic_version announcements api_tokens audit_events autosaves blobs identities invitations logins
    mail_tokens mails media_uses passkeys post_referrers post_views public_version recovery_codes
    refresh_tokens retired_names revisions search_entries search_titles sessions slugs tag_aliases
    throttles visitor_digests visitor_salts
    """.split()
)
# Columns of which readers see nothing.
UNSEEN_COLUMNS = {
    "posts": frozenset(
        "created_at idempotency_key preview_token staged updated_at version".split()
    ),
    "users": frozenset(
        """
        created_at email email_key email_verified_at logged_in_at password_hash totp_secret
        totp_step
        """.split()
    ),
}
# A row of these is seen only once something else that counts refers to it.
UNSEEN_WHEN_NEW = frozenset({"media", "series", "site", "tags", "users"})
# Rows of these say something of a post, by `post_id`, and are not seen while it is not.
OF_A_POST = frozenset({"post_tags"})

# In seconds, so that it also says when readers last saw something change (Last-Modified); and
# greater than any before, however fast the changes come and whatever the clock says.
RAISE = text(
    "INSERT INTO public_version (id, version) VALUES (1, :now) ON CONFLICT (id) DO UPDATE SET"
    " version = CASE WHEN public_version.version >= excluded.version"
    " THEN public_version.version + 1 ELSE excluded.version END RETURNING version"
)
WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE)\s+\"?(?!SET\b)(\w+)", re.I)


def raise_if_changed(db: AnySession) -> int | None:
    """Call it last, just before the commit: whoever else changes something waits from here on.
    The new version; None if readers see what they saw."""
    if not db.info.pop(MARK, False):
        return None
    version: int = db.execute(RAISE, {"now": int(time.time())}).scalar_one()
    return version


def forget(db: AnySession) -> None:
    """What was written is rolled back."""
    db.info.pop(MARK, None)


@event.listens_for(AnySession, "before_flush")
def note_rows(db: AnySession, _: UOWTransaction, __: object) -> None:
    if MARK in db.info:
        return
    new = (row for row in db.new if table_of(row) not in UNSEEN_WHEN_NEW)
    changed = (row for row in db.dirty if is_changed(row))
    if any(shows(db, row) for row in chain(new, changed, db.deleted)):
        db.info[MARK] = True


@event.listens_for(AnySession, "do_orm_execute")
def note_statement(doing: ORMExecuteState) -> None:
    db, statement = doing.session, doing.statement
    if not doing.is_select and MARK not in db.info and is_seen(db, statement, doing.parameters):
        db.info[MARK] = True


def is_seen(db: AnySession, statement: Any, parameters: Any) -> bool:
    """Whether readers may notice an INSERT, UPDATE or DELETE."""
    if isinstance(statement, TextClause):
        return any(name.lower() not in UNSEEN_TABLES for name in WRITES.findall(statement.text))
    if not isinstance(statement, Insert | Update | Delete):
        return False
    table = str(getattr(statement.table, "name", ""))
    if table in UNSEEN_TABLES or (isinstance(statement, Insert) and table in UNSEEN_WHEN_NEW):
        return False
    if isinstance(statement, Update):
        changed = columns_of(statement, parameters)
        if changed and changed <= UNSEEN_COLUMNS.get(table, frozenset()):
            return False
    if table in OF_A_POST:
        known = posts_of(statement, parameters)
        return not known or not all(is_hidden(db, post_id) for post_id in known)
    return True


def columns_of(statement: Any, parameters: Any) -> set[str]:
    """The columns that an UPDATE sets."""
    named = {getattr(key, "key", key) for key in statement._values or ()}
    return named | {name for row in rows_of(parameters) for name in row if name != "id"}


def rows_of(parameters: Any) -> list[Any]:
    return parameters if isinstance(parameters, list) else [parameters or {}]


def posts_of(statement: Any, parameters: Any) -> set[Any]:
    """The ids of the posts that it is about alone, as far as it says so."""
    if isinstance(statement, Insert):
        return {row.get("post_id") for row in rows_of(parameters)}
    return {
        each.right.value
        for each in conditions(statement)
        if isinstance(each.right, BindParameter)
        and getattr(each.left, "key", "") == "post_id"
        and each.operator is operators.eq
    }


def conditions(statement: Any) -> Iterable[BinaryExpression[Any]]:
    """Those that must all hold."""
    where = statement.whereclause
    parts = getattr(where, "clauses", [where])
    if getattr(where, "operator", operators.and_) is not operators.and_:
        parts = [where]
    return [part for part in parts if isinstance(part, BinaryExpression)]


def is_hidden(db: AnySession, post_id: Any) -> bool:
    """Whether readers see nothing of a post that is in hand, whatever this session does to it."""
    key = inspect(Post).identity_key_from_primary_key((post_id,))
    new = (row for row in db.new if isinstance(row, Post) and row.id == post_id)
    post = db.identity_map.get(key) or next(new, None)
    return post is not None and not shows_post(post)


def shows(db: AnySession, row: Any) -> bool:
    """Whether a row of this kind can be seen at all."""
    table = table_of(row)
    if table in OF_A_POST:
        return not is_hidden(db, row.post_id)
    return table not in UNSEEN_TABLES and (not isinstance(row, Post) or shows_post(row))


def is_changed(row: Any) -> bool:
    """Whether a column changes that can be seen."""
    state, unseen = inspect(row), UNSEEN_COLUMNS.get(table_of(row), frozenset())
    columns = {each.key for each in state.mapper.column_attrs} - unseen
    return any(state.attrs[name].history.has_changes() for name in columns)


def shows_post(post: Post) -> bool:
    """Whether readers see a post now or later, or did before this session changed it."""
    published, trashed = (
        before_and_after(post, "published_at"),
        before_and_after(post, "trashed_at"),
    )
    return any(at and not gone for at, gone in zip(published, trashed, strict=True))


def before_and_after(post: Post, name: str) -> tuple[Any, Any]:
    after = getattr(post, name)
    before = inspect(post).attrs[name].history.deleted
    return (before[0] if before else after), after


def table_of(row: Any) -> str:
    return str(inspect(row).mapper.local_table.name)
