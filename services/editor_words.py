"""What the editor says in the browser, by the names that public/js/editor/ has for it. Its places, such
as `%(name)s`, are filled there."""

from languages import _


def words() -> dict[str, str]:
    """All of it, in the language that is spoken."""
    return of_text() | of_keeping() | of_preview() | of_images() | of_uploads()


def of_text() -> dict[str, str]:
    return {
        "fullScreen": _("Full screen"),
        "leaveFullScreen": _("Leave full screen"),
        "oneWord": _("%(count)s word · %(minutes)s min read"),
        "manyWords": _("%(count)s words · %(minutes)s min read"),
        "firstColumn": _("One"),
        "secondColumn": _("Two"),
    }


def of_keeping() -> dict[str, str]:
    return {
        "saving": _("Saving…"),
        "savedNow": _("Saved a moment ago"),
        "savedAt": _("Saved at %(time)s"),
        "keptHere": _("kept in this browser"),
        "keepOpen": _("please keep this page open"),
        "refused": _("%(sentence)s Your text: %(kept)s."),
        "noAnswer": _("The blog does not answer: %(kept)s"),
        "offline": _("Offline: %(kept)s"),
        "loggedOut": _("You are logged out: %(kept)s."),
        "logInAgain": _("Log in again"),
        "typedHere": _("This is what you typed here on %(when)s. It had not reached the blog yet."),
        "begunHere": _(
            "This is a new post that you began here on %(when)s. It had not reached the blog yet."
        ),
        "useSaved": _("Use the saved text instead"),
        "beginAnother": _("Begin another one"),
    }


def of_preview() -> dict[str, str]:
    return {
        "write": _("Write"),
        "preview": _("Preview"),
        "noPreview": _("The preview cannot be reached at the moment. Your text is not affected."),
        "loginEnded": _("Your login has ended. Log in again in another tab; your text stays here."),
        "tooLong": _("This text is too long to be shown here."),
        "mayNotWrite": _("Your account may not write here any more."),
    }


def of_images() -> dict[str, str]:
    return {
        "image": _("image"),
        "imagesAdded": _("Images that you add"),
        "onItsWay": _("Uploading %(name)s…"),
        "uploadingOne": _("Uploading %(name)s."),
        "uploadingMany": _("Uploading %(count)s images."),
        "inText": _("%(name)s is in your text."),
        "inLibrary": _("%(name)s is in your library."),
        "takenOut": _("%(name)s was taken out."),
        "described": _("%(name)s is described."),
        "describe": _("What can be seen in %(name)s?"),
        "describeHint": _("For those who do not see it. A sentence will do."),
        "notDescribed": _("This was not saved. Nothing is lost; please try again."),
        "cancel": _("Cancel"),
        "takeOut": _("Take it out"),
        "tryAgain": _("Try again"),
        "save": _("Save"),
        "skip": _("Skip"),
    }


def of_uploads() -> dict[str, str]:
    """What keeps an image from arriving."""
    return {
        "wrongKind": _("This is not an image that the blog knows: JPEG, PNG, WebP, GIF or AVIF."),
        "tooLarge": _("This file is larger than 20 MB. A smaller copy will do."),
        "beyondLimit": _("This file is larger than the blog takes. A smaller copy will do."),
        "notUploaded": _("%(name)s was not uploaded. Your text is safe."),
        "stillFailed": _("%(name)s has not arrived. Try again, or take it out first."),
        "stillOnItsWay": _("%(name)s has not arrived. Wait for it, or cancel it first."),
        "sentLater": _("You seem to be offline. The image is sent as soon as you are back."),
        "away": _("The blog did not answer. Your text is safe; please try again in a moment."),
        "notLoggedIn": _("You are not logged in any more."),
        "logInElsewhere": _("Log in in another tab"),
        "thenTryAgain": _(", then try again here. Your text is safe."),
    }
