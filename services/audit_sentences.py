"""The audit log in words: who did what, and to whom."""

from collections import defaultdict
from collections.abc import Mapping
from string import Formatter

from languages import N_, _
from models import AuditEvent
from services import audit
from services.permissions import ROLES

SOMEBODY = N_("somebody")

# {user} is whose account, {actor} who did it; other words are details of the event.
SENTENCES = {
    audit.REGISTERED: N_("{user} registered"),
    audit.LOGGED_IN: N_("{user} logged in by {by}"),
    audit.SECOND_STEP_ASKED: N_(
        "somebody knew the {by} of {user} and was asked for the second step"
    ),
    audit.SECOND_STEP_FAILED: N_("somebody who knew the password of {user} failed the second step"),
    audit.LOGIN_FAILED: N_("somebody failed to log in as {user}"),
    audit.LOGIN_RESTORED: N_("{user} was remembered and logged in again"),
    audit.LOGGED_OUT: N_("{user} logged out"),
    audit.CONFIRMED: N_("{user} showed again who they are"),
    audit.CONFIRMATION_FAILED: N_("somebody logged in as {user} could not show who they are"),
    audit.APP_ADDED: N_("{user} set up an authenticator app"),
    audit.APP_REMOVED: N_("{user} removed their authenticator app"),
    audit.RECOVERY_CODES_MADE: N_("{user} made new recovery codes"),
    audit.RECOVERY_CODE_USED: N_("{user} used a recovery code"),
    audit.PASSKEY_ADDED: N_("{user} added a passkey"),
    audit.PASSKEY_RENAMED: N_("{user} gave a passkey another name"),
    audit.PASSKEY_REMOVED: N_("{user} removed a passkey"),
    audit.PASSKEY_REFUSED: N_("a passkey of {user} was refused"),
    audit.PASSKEY_COPIED: N_("a passkey of {user} seems to have been copied, and was refused"),
    audit.PASSWORD_CHANGED: N_("{user} changed their password"),
    audit.RESET_ASKED: N_("somebody asked for a new password for {user}"),
    audit.PASSWORD_GIVEN: N_("{user} was given a new password on the server"),
    audit.PASSWORD_RESET: N_("{user} set a new password by a link in a mail"),
    audit.EMAIL_CHANGE_ASKED: N_("{user} gave a new e-mail address"),
    audit.EMAIL_CHANGED: N_("{user} changed their e-mail address"),
    audit.EMAIL_REMOVED: N_("{user} removed their e-mail address"),
    audit.EMAIL_VERIFIED: N_("{user} confirmed their e-mail address"),
    audit.COOKIE_STOLEN: N_(
        "somebody used a stolen cookie of {user}, who was logged out everywhere"
    ),
    audit.PROTECTION: N_("the login of {user} turned up elsewhere and was ended"),
    audit.DEVICE_ENDED: N_("{user} logged out a device: {device}"),
    audit.DEVICES_ENDED: N_("{user} logged out all their other devices"),
    audit.USERNAME_CHANGED: N_("{before} is called {after} now"),
    audit.ACCESS_GIVEN: N_("{user} made the access token “{name}”"),
    audit.ACCESS_TAKEN: N_("{user} revoked the access token “{name}”"),
    audit.API_LOGIN: N_("{user} logged in to the API"),
    audit.API_LOGOUT: N_("{user} logged out of the API"),
    audit.REFRESH_REUSED: N_("a refresh token of {user} was used twice, and its login ended"),
    audit.IDENTITY_LINKED: N_("{user} logs in by {by} too from now on"),
    audit.IDENTITY_UNLINKED: N_("{user} does not log in by {by} any more"),
    audit.EXPORTED: N_("{user} took their data along"),
    audit.DELETED: N_("{user} deleted their account"),
    audit.ROLE_CHANGED: N_("{actor} changed {user}’s role from {before} to {after}"),
    audit.OWNER_CHANGED: N_("{actor} handed the blog over to {user}"),
    audit.SUSPENDED: N_("{actor} suspended {user}"),
    audit.UNSUSPENDED: N_("{actor} let {user} in again"),
    audit.LOGGED_OUT_EVERYWHERE: N_("{actor} logged {user} out everywhere"),
    audit.INVITED: N_("{actor} invited {email} as {role}"),
    audit.UNINVITED: N_("{actor} took back the invitation of {email} as {role}"),
    audit.FORBIDDEN: N_("{user} was refused: {what}"),
    audit.LIMITED: N_("{user} tried something too often: {what}"),
    audit.POST_PUBLISHED: N_("{username} published “{title}” at /posts/{slug}"),
    audit.TAG_RENAMED: N_("{username} renamed the tag “{before}” to “{after}”"),
    audit.TAG_MERGED: N_("{username} merged the tag “{name}” into “{into}”"),
    audit.POST_SCHEDULED: N_("{username} scheduled “{title}” for {time}, at /posts/{slug}"),
    audit.SITE_CHANGED: N_("{user} changed how the blog presents itself: {changed}"),
}
ACTIONS = sorted(SENTENCES)


# What is told in brackets, after a sentence that has no place for it.
DETAILS = {
    "by": N_("by"),
    "invited_by": N_("invited by"),
    "scopes": N_("scopes"),
    "posts": N_("posts"),
    "why": N_("why"),
    "name": N_("name"),
}
# Details that are words of ours. The others are names, titles and addresses, and stay as they are.
WAYS = {
    "password": N_("password"),
    "passkey": N_("passkey"),
    "code": N_("code"),
    "recovery code": N_("recovery code"),
}
SETTINGS = {
    "site_name": N_("Name"),
    "site_description": N_("Description"),
    "language": N_("Language"),
    "date_format": N_("Dates"),
    "per_page": N_("Posts on a page"),
    "accent": N_("Colour"),
    "logo": N_("Logo"),
    "logo_alone": N_("Logo"),
    "navigation": N_("Navigation"),
    "footer": N_("Foot of every page"),
    "css": N_("Style sheet"),
}
OURS: dict[str, Mapping[str, str]] = {
    "by": WAYS,
    "role": ROLES,
    "posts": {"keep": N_("keep"), "delete": N_("delete")},
    "why": {"proved nothing": N_("proved nothing"), "disabled": N_("disabled")},
    "changed": SETTINGS,
    "device": {"a command": N_("a command")},
}
OURS_WHERE: dict[str, dict[str, Mapping[str, str]]] = {
    audit.ROLE_CHANGED: {"before": ROLES, "after": ROLES}
}


def sentence(event: AuditEvent) -> str:
    """“alice changed bob’s role from reader to author.” Details beyond that follow in brackets."""
    pattern = _(SENTENCES.get(event.action, "{user}: " + event.action))
    somebody = _(SOMEBODY)
    user = event.username or somebody
    known = {"user": user, "actor": user, "what": _("a password or a code")}
    known |= details(event)
    used = {name for _text, name, _spec, _how in Formatter().parse(pattern) if name}
    said = pattern.format_map(defaultdict(lambda: somebody, known))
    more = ", ".join(
        f"{_(DETAILS.get(k, k))} {v}"
        for k, v in known.items()
        if k not in used | {"user", "actor", "what"}
    )
    if said.startswith(somebody) or not pattern.startswith("{"):  # names stay as they are
        said = capital(said)
    return f"{said} ({more})." if more else f"{said}."


def kind(action: str) -> str:
    """What sort of thing happened, in a word or two: “Logged in”."""
    return capital(_(action))


def details(event: AuditEvent) -> dict[str, str]:
    """What is known of it, in words."""
    ours = OURS | OURS_WHERE.get(event.action, {})
    return {name: word(value, ours.get(name, {})) for name, value in event.details.items() if value}


def word(value: str, ours: Mapping[str, str]) -> str:
    """One of ours, or more of them: “password and recovery code”, “Name, Colour”."""
    one, both, other = value.partition(" and ")
    if both and {one, other} <= ours.keys():
        return _("%(one)s and %(other)s", one=_(ours[one]), other=_(ours[other]))
    return ", ".join(_(ours.get(each, each)) for each in value.split(", ")) if ours else value


def capital(words: str) -> str:
    """Only the first letter: the others may be those of nouns."""
    return words[:1].upper() + words[1:]
