"""Posts loaded through permission, for whoever is known by any provider."""

from typing import Annotated

from fastapi import Depends

from api_dependencies import CurrentPrincipal
from database import Db
from models import Post
from routers.loading import find_own


def own_post(slug: str, principal: CurrentPrincipal, db: Db) -> Post:
    """A post that they may edit by the way that they are known, from the trash too.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: it is public, and somebody else's.
    """
    return find_own(db, slug, principal.user, principal.scopes)


OwnPost = Annotated[Post, Depends(own_post)]
