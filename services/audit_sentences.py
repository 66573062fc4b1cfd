"""The audit log in words: who did what, and to whom."""

from collections import defaultdict
from string import Formatter

from models import AuditEvent
from services import audit

SOMEBODY = "somebody"

# {user} is whose account, {actor} who did it; other words are details of the event.
SENTENCES = {
    audit.REGISTERED: "{user} registered",
    audit.LOGGED_IN: "{user} logged in by {by}",
    audit.SECOND_STEP_ASKED: "somebody knew the {by} of {user} and was asked for the second step",
    audit.SECOND_STEP_FAILED: "somebody who knew the password of {user} failed the second step",
    audit.LOGIN_FAILED: "somebody failed to log in as {user}",
    audit.LOGIN_RESTORED: "{user} was remembered and logged in again",
    audit.LOGGED_OUT: "{user} logged out",
    audit.CONFIRMED: "{user} showed again who they are",
    audit.CONFIRMATION_FAILED: "somebody logged in as {user} could not show who they are",
    audit.APP_ADDED: "{user} set up an authenticator app",
    audit.APP_REMOVED: "{user} removed their authenticator app",
    audit.RECOVERY_CODES_MADE: "{user} made new recovery codes",
    audit.RECOVERY_CODE_USED: "{user} used a recovery code",
    audit.PASSKEY_ADDED: "{user} added a passkey",
    audit.PASSKEY_RENAMED: "{user} gave a passkey another name",
    audit.PASSKEY_REMOVED: "{user} removed a passkey",
    audit.PASSKEY_REFUSED: "a passkey of {user} was refused",
    audit.PASSKEY_COPIED: "a passkey of {user} seems to have been copied, and was refused",
    audit.PASSWORD_CHANGED: "{user} changed their password",
    audit.RESET_ASKED: "somebody asked for a new password for {user}",
    audit.PASSWORD_GIVEN: "{user} was given a new password on the server",
    audit.PASSWORD_RESET: "{user} set a new password by a link in a mail",
    audit.EMAIL_CHANGE_ASKED: "{user} gave a new e-mail address",
    audit.EMAIL_CHANGED: "{user} changed their e-mail address",
    audit.EMAIL_REMOVED: "{user} removed their e-mail address",
    audit.EMAIL_VERIFIED: "{user} confirmed their e-mail address",
    audit.COOKIE_STOLEN: "somebody used a stolen cookie of {user}, who was logged out everywhere",
    audit.PROTECTION: "the login of {user} turned up elsewhere and was ended",
    audit.DEVICE_ENDED: "{user} logged out a device: {device}",
    audit.DEVICES_ENDED: "{user} logged out all their other devices",
    audit.USERNAME_CHANGED: "{before} is called {after} now",
    audit.ACCESS_GIVEN: "{user} made the access token “{name}”",
    audit.ACCESS_TAKEN: "{user} revoked the access token “{name}”",
    audit.API_LOGIN: "{user} logged in to the API",
    audit.API_LOGOUT: "{user} logged out of the API",
    audit.REFRESH_REUSED: "a refresh token of {user} was used twice, and its login ended",
    audit.IDENTITY_LINKED: "{user} logs in by {by} too from now on",
    audit.IDENTITY_UNLINKED: "{user} does not log in by {by} any more",
    audit.EXPORTED: "{user} took their data along",
    audit.DELETED: "{user} deleted their account",
    audit.ROLE_CHANGED: "{actor} changed {user}’s role from {before} to {after}",
    audit.OWNER_CHANGED: "{actor} handed the blog over to {user}",
    audit.SUSPENDED: "{actor} suspended {user}",
    audit.UNSUSPENDED: "{actor} let {user} in again",
    audit.LOGGED_OUT_EVERYWHERE: "{actor} logged {user} out everywhere",
    audit.INVITED: "{actor} invited {email} as {role}",
    audit.UNINVITED: "{actor} took back the invitation of {email} as {role}",
    audit.FORBIDDEN: "{user} was refused: {what}",
    audit.LIMITED: "{user} tried something too often: {what}",
    audit.POST_PUBLISHED: "{username} published “{title}” at /posts/{slug}",
    audit.TAG_RENAMED: "{username} renamed the tag “{before}” to “{after}”",
    audit.TAG_MERGED: "{username} merged the tag “{name}” into “{into}”",
    audit.POST_SCHEDULED: "{username} scheduled “{title}” for {time}, at /posts/{slug}",
    audit.SITE_CHANGED: "{user} changed how the blog presents itself: {changed}",
}
ACTIONS = sorted(SENTENCES)


def sentence(event: AuditEvent) -> str:
    """“alice changed bob’s role from reader to author.” Details beyond that follow in brackets."""
    pattern = SENTENCES.get(event.action, "{user}: " + event.action)
    user = event.username or SOMEBODY
    known = {"user": user, "actor": user, "what": "a password or a code"}
    known |= {name: value for name, value in event.details.items() if value}
    used = {name for _, name, _, _ in Formatter().parse(pattern) if name}
    said = pattern.format_map(defaultdict(lambda: SOMEBODY, known))
    more = ", ".join(
        f"{k} {v}" for k, v in known.items() if k not in used | {"user", "actor", "what"}
    )
    if said.startswith(SOMEBODY) or not pattern.startswith("{"):  # names stay as they are
        said = said[0].upper() + said[1:]
    return f"{said} ({more})." if more else f"{said}."
