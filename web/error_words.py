"""What error pages say: what happened, what is safe, what to do next."""

from dataclasses import dataclass

from languages import N_


@dataclass(frozen=True)
class Words:
    """What an error page says."""

    title: str
    sentence: str


WORDS = {
    400: Words(N_("That request made no sense"), N_("Something in it was garbled on the way here. Nothing was changed.")),
    401: Words(N_("Please log in"), N_("This page is for people with an account here.")),
    403: Words(N_("Not yours to change"), N_("You may not do that here. Nothing was changed.")),
    404: Words(N_("Nothing here"), N_("There is no page at this address. It may have moved, or never have been.")),
    405: Words(N_("Not that way"), N_("This address exists, but not for what was asked of it.")),
    408: Words(N_("That took too long"), N_("The connection was too slow and your text did not arrive. Go back: it is still in the form.")),
    409: Words(N_("Somebody was first"), N_("This was changed elsewhere in the meantime. Nothing was overwritten.")),
    410: Words(N_("This has been removed"), N_("There was something here once; its author has taken it down.")),
    413: Words(N_("Too much at once"), N_("This is larger than the blog accepts: a post may have 512 KB, an image 20 MB. Go back: your text is still in the form.")),
    415: Words(N_("Not that kind"), N_("This address takes forms, or JSON if it is one of the API, and that was something else. Nothing was changed.")),
    422: Words(N_("That cannot be right"), N_("Something in the request is not as it should be. Nothing was changed.")),
    429: Words(N_("Too often"), N_("That was tried too often. Nothing is lost; please wait a little and try again.")),
    500: Words(N_("That was our mistake"), N_("Something broke on our side. Nothing was saved by this request; what was there before is safe.")),
    503: Words(N_("Back in a moment"), N_("A service behind this blog does not answer. Nothing is lost; please try again in a few seconds.")),
}  # fmt: skip
CROSS_SITE = N_(
    "This request came from another site, so it was not carried out. Nothing was changed."
)
UNKNOWN_HOST = N_(
    "This blog does not answer to that name. If it is yours: the setting ALLOWED_HOSTS lists its "
    "names, and without it the name in BASE_URL is the only one."
)
