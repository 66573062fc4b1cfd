"""What can go wrong in the domain, as sentences for the person who meets it.

They are in the language that is spoken where they are raised; those that come as constants, marked
by `N_()`, are said here.
"""

from math import ceil
from uuid import UUID

from languages import N_, _


class DomainError(Exception):
    """Base of all; `str(error)` is the sentence to show."""


class NotFound(DomainError):
    """Missing, or invisible to this person: the two must not be told apart."""


class Gone(DomainError):
    """It was public once and has been deleted."""


class Moved(DomainError):
    """It lives at another address now."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class Forbidden(DomainError):
    """Known, visible, and still not theirs to touch."""

    def __init__(self, sentence: str, status: int = 403) -> None:
        super().__init__(_(sentence))
        self.status = status


class Rejected(DomainError):
    """A form or a call cannot be carried out; `fields` has a sentence for each field at fault."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = {name: _(said) for name, said in fields.items()}
        super().__init__(" ".join(self.fields.values()))


class Invalid(Rejected):
    """The values are wrong in themselves."""


class NotAnImage(Invalid):
    """A file was sent that is no image, or none of the kinds that we take."""


class Conflict(Rejected):
    """The values are fine, but somebody was there first."""


class WrongPassword(Rejected):
    """Name and password do not match, whichever of the two it is."""

    def __init__(
        self,
        sentence: str = N_("That name and password do not match. Nothing is locked; try again."),
    ) -> None:
        super().__init__({"password": sentence})


class BadCredentials(DomainError):
    """A token or key was shown that is not good, or not any more."""

    def __init__(
        self, sentence: str = N_("That token is not good, or not any more. Nothing was changed.")
    ) -> None:
        super().__init__(_(sentence))


class SecondFactorRequired(DomainError):
    """The password is right, and this account asks for a second factor."""

    def __init__(self) -> None:
        super().__init__(_("This account asks for a second factor: send its `code` too."))


class WrongCode(Rejected):
    """Not the code of an authenticator app, nor a recovery code; or one that was used before."""

    def __init__(self) -> None:
        super().__init__(
            {"code": N_("That is not a code that counts now. Nothing is lost; try again.")}
        )


class WrongPasskey(Rejected):
    """What the browser sent does not prove that somebody has this passkey."""

    def __init__(
        self,
        sentence: str = N_("That passkey does not open this account. Nothing is lost; try again."),
    ) -> None:
        super().__init__({"passkey": sentence})


class CopiedPasskey(WrongPasskey):
    """Its counter went back: there are two of what there should be one of."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(
            N_(
                "This passkey seems to have been copied, so it was not taken. Log in another way, and remove it."
            )
        )
        self.user_id = user_id


class ProviderAway(DomainError):
    """Another service, by which somebody wants to log in, does not answer."""

    def __init__(self, label: str) -> None:
        super().__init__(
            _(
                "%(label)s does not answer as it should at the moment. Nothing was changed here; "
                "please try again in a minute, or log in with your password.",
                label=label,
            )
        )


class NotProven(DomainError):
    """Somebody came back from another service, but with nothing that proves who they are."""

    def __init__(
        self,
        sentence: str = N_(
            "This did not begin in this browser, or too long ago, or it was used already. "
            "Nothing was changed; please begin again."
        ),
    ) -> None:
        super().__init__(_(sentence))


class BadLink(DomainError):
    """A link in a mail that is used, too old, changed, or for something else: all the same."""


class Unverified(DomainError):
    """Whoever this is may come in once their address is confirmed."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(_("Please confirm your e-mail address first: open the link in our mail."))
        self.user_id = user_id


class StaleVersion(DomainError):
    """The post was changed elsewhere since this edit began."""

    def __init__(self, post_id: UUID) -> None:
        super().__init__(_("This post was changed in another tab or by somebody else."))
        self.post_id = post_id


class TooOften(DomainError):
    """A limit was reached; it is worth trying again after `seconds`."""

    is_noted = False  # in the audit log

    def __init__(self, seconds: float) -> None:
        wait = in_words(seconds)
        super().__init__(
            _("That was tried too often. Please wait %(wait)s and try again.", wait=wait)
        )
        self.seconds = seconds


def in_words(seconds: float) -> str:
    """“3 days”, “5 hours”, “a minute”: about, and never too short."""
    for name, size in ((DAYS, 86_400), (HOURS, 3_600), (MINUTES, 60)):
        if seconds > 2 * size:
            return _(name, count=ceil(seconds / size))
    return _("2 minutes") if seconds > 60 else _("a minute")


DAYS, HOURS, MINUTES = N_("%(count)s days"), N_("%(count)s hours"), N_("%(count)s minutes")


class Busy(DomainError):
    """More is going on than we can do well at once; it is worth trying again in a moment."""
