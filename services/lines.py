"""A post in one line: in the archive, and beside another post."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Line(NamedTuple):
    id: UUID
    slug: str
    title: str
    published_at: datetime

    @property
    def path(self) -> str:
        return f"/posts/{self.slug}"
