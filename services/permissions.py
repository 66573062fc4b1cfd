"""Who may do what: roles give scopes, and a few questions about a person and a thing."""

from models import Post, User
from settings import Role

READ = "posts:read"
WRITE = "posts:write"
EDIT_ANY = "posts:edit_any"
MODERATE = "comments:moderate"
MANAGE_USERS = "users:manage"
MANAGE_SITE = "site:manage"

SCOPES: dict[str, frozenset[str]] = {
    Role.reader: frozenset({READ}),
    Role.author: frozenset({READ, WRITE}),
    Role.editor: frozenset({READ, WRITE, EDIT_ANY, MODERATE}),
    Role.owner: frozenset({READ, WRITE, EDIT_ANY, MODERATE, MANAGE_USERS, MANAGE_SITE}),
}


def scopes_of(user: User) -> frozenset[str]:
    return SCOPES.get(user.role, frozenset())


def has_scopes(user: User, *scopes: str) -> bool:
    return scopes_of(user).issuperset(scopes)


def can_edit(user: User | None, post: Post) -> bool:
    """Authors edit their own; editors and the owner edit all."""
    if user is None or not has_scopes(user, WRITE):
        return False
    return post.author_id == user.id or has_scopes(user, EDIT_ANY)


def can_see(user: User | None, post: Post) -> bool:
    return post.is_public or can_edit(user, post)
