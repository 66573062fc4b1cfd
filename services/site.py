"""The blog as a whole: its name, its language, and how it presents itself."""

from typing import Any


class Site:
    """What every page, feed and mail may say of the blog; `now()` has it as it is at this moment."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def now(self) -> Any:
        """With `site_name`, `site_description`, `base_url`, `link_base`, `language`, `per_page`."""
        return self.values
