"""Who may do what: roles give scopes, and a few questions about a person and a thing."""

from collections.abc import Iterable

from languages import N_, _
from models import Post, Series, User
from settings import Role, Settings

READ = "posts:read"
WRITE = "posts:write"
EDIT_ANY = "posts:edit_any"
MODERATE = "comments:moderate"
MANAGE_USERS = "users:manage"
MANAGE_SITE = "site:manage"

# What each allows, in words for whoever gives it away.
MEANING = {
    READ: N_("Read your posts, drafts too."),
    WRITE: N_("Write, change and delete your posts."),
    EDIT_ANY: N_("Read, change and delete everybody's posts."),
    MODERATE: N_("Approve and delete comments."),
    MANAGE_USERS: N_("Manage the accounts of this blog."),
    MANAGE_SITE: N_("Manage this blog."),
}
ROLES: dict[str, str] = {
    Role.reader: N_("reader"),
    Role.author: N_("author"),
    Role.editor: N_("editor"),
    Role.owner: N_("owner"),
}
SCOPES: dict[str, frozenset[str]] = {
    Role.reader: frozenset({READ}),
    Role.author: frozenset({READ, WRITE}),
    Role.editor: frozenset({READ, WRITE, EDIT_ANY, MODERATE}),
    Role.owner: frozenset(MEANING),
}


def role_name(role: str) -> str:
    """In the language that is spoken."""
    return _(ROLES[Role(role)])


def scopes_of(user: User) -> frozenset[str]:
    return SCOPES.get(user.role, frozenset())


def has_scopes(user: User, *scopes: str) -> bool:
    return scopes_of(user).issuperset(scopes)


def in_order(scopes: Iterable[str]) -> list[str]:
    """The same, each once, in the order of MEANING."""
    wanted = set(scopes)
    return [scope for scope in MEANING if scope in wanted]


def can_edit(user: User | None, post: Post | Series, scopes: frozenset[str] | None = None) -> bool:
    """Authors edit their own; editors and the owner edit all.

    `scopes` are those of a token, which may be fewer than those of the person.
    """
    if user is None:
        return False
    held = scopes_of(user) if scopes is None else scopes
    return WRITE in held and (post.author_id == user.id or EDIT_ANY in held)


def can_see(user: User | None, post: Post, scopes: frozenset[str] | None = None) -> bool:
    if post.is_public or user is None:
        return post.is_public
    held = scopes_of(user) if scopes is None else scopes
    return READ in held and (post.author_id == user.id or EDIT_ANY in held)


def is_stranger(author: User, settings: Settings) -> bool:
    """Whether nobody here need know this author: anybody may register, and they got no more."""
    return is_stranger_with(scopes_of(author), settings)


def is_stranger_with(scopes: frozenset[str], settings: Settings) -> bool:
    """The same of somebody who has these scopes."""
    return settings.registration == "open" and EDIT_ANY not in scopes
