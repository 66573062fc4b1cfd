"""Parts of pages that are made once for the same values. Our own: the same lines stand in many lists,
and twenty of them take longer than all the rest of a page."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from jinja2.runtime import Macro

from languages import Speech, spoken

MOST_KEPT = 4000  # of a list of posts, some MB


class Fragments:
    """`made_once(macro, *values)` in a template is `macro(*values)`. What the macro shows must depend
    on nothing but those values and the language; they must be hashable and never change."""

    def __init__(self) -> None:
        self.made = lru_cache(MOST_KEPT)(made)

    def __call__(self, macro: Macro, *values: Hashable) -> Any:
        return self.made(spoken(), macro, *values)


def made(_: Speech, macro: Macro, *values: Hashable) -> Any:
    return macro(*values)
