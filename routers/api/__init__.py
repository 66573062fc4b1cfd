"""The same nouns as JSON. Every route is made by `api_public` or `api_guarded`."""

from routers.api import auth, media, posts, revisions, tags, token, tokens

routers = (
    auth.router,
    auth.me,
    tokens.router,
    tokens.fresh,
    token.router,
    token.own,
    posts.readable,
    posts.router,
    revisions.router,
    media.router,
    tags.router,
)
