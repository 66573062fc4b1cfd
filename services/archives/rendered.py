"""What texts become, from when they are checked until they are stored: on the disk, since it is
more than a memory holds, and before the transaction, in which nobody else may write on SQLite."""

import json
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self


class Rendered:
    """`with Rendered() as rendered:` keeps the columns of texts by their names."""

    def __init__(self) -> None:
        self.file = TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - see __exit__
        self.places: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.file.close()

    def put(self, name: str, columns: dict[str, Any]) -> None:
        self.places[name] = self.file.tell()
        self.file.write(json.dumps(columns) + "\n")

    def get(self, name: str) -> dict[str, Any]:
        self.file.seek(self.places[name])
        columns: dict[str, Any] = json.loads(self.file.readline())
        return columns
