"""What error pages say: what happened, what is safe, what to do next."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What an error page says."""

    title: str
    sentence: str


WORDS = {
    400: Words("That request made no sense", "Something in it was garbled on the way here. Nothing was changed."),
    401: Words("Please log in", "This page is for people with an account here."),
    403: Words("Not yours to change", "You may not do that here. Nothing was changed."),
    404: Words("Nothing here", "There is no page at this address. It may have moved, or never have been."),
    405: Words("Not that way", "This address exists, but not for what was asked of it."),
    408: Words("That took too long", "The connection was too slow and your text did not arrive. Go back: it is still in the form."),
    409: Words("Somebody was first", "This was changed elsewhere in the meantime. Nothing was overwritten."),
    410: Words("This has been removed", "There was something here once; its author has taken it down."),
    413: Words("Too much at once", "This is larger than the blog accepts: a post may have 512 KB, an image 20 MB. Go back: your text is still in the form."),
    415: Words("Not that kind", "This address takes forms, or JSON if it is one of the API, and that was something else. Nothing was changed."),
    422: Words("That cannot be right", "Something in the request is not as it should be. Nothing was changed."),
    429: Words("Too often", "That was tried too often. Nothing is lost; please wait a little and try again."),
    500: Words("That was our mistake", "Something broke on our side. Nothing was saved by this request; what was there before is safe."),
    503: Words("Back in a moment", "A service behind this blog does not answer. Nothing is lost; please try again in a few seconds."),
}  # fmt: skip
CROSS_SITE = "This request came from another site, so it was not carried out. Nothing was changed."
UNKNOWN_HOST = (
    "This blog does not answer to that name. If it is yours: the setting ALLOWED_HOSTS lists its "
    "names, and without it the name in BASE_URL is the only one."
)
