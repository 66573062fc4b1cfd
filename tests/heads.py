"""What a page says in its head, read as a search engine or a preview of a link would."""

import json
from typing import Any

import html5lib
from httpx2 import Response

NAMESPACE = "{http://www.w3.org/1999/xhtml}"


class HeadOf:
    def __init__(self, response: Response) -> None:
        assert response.status_code == 200, response.text
        self.document = html5lib.parse(response.text)
        head = self.document.find(f"{NAMESPACE}head")
        assert head is not None
        self.elements = list(head)

    def all(self, tag: str) -> list[Any]:
        return [each for each in self.elements if each.tag == f"{NAMESPACE}{tag}"]

    @property
    def titles(self) -> list[str]:
        return [each.text for each in self.all("title")]

    def links(self, rel: str) -> list[str]:
        return [each.get("href") for each in self.all("link") if each.get("rel") == rel]

    def metas(self, name: str) -> list[str]:
        """The contents of all with this name or property."""
        found = [
            each for each in self.all("meta") if name in (each.get("name"), each.get("property"))
        ]
        return [each.get("content") for each in found]

    def meta(self, name: str) -> str:
        (found,) = self.metas(name)
        return found

    @property
    def is_listed(self) -> bool:
        return not any("noindex" in each for each in self.metas("robots"))

    @property
    def data(self) -> list[dict[str, Any]]:
        """The JSON-LD documents."""
        scripts = [each for each in self.all("script") if each.get("type") == "application/ld+json"]
        return [json.loads(each.text) for each in scripts]
