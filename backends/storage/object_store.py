"""Files in an object store that speaks S3. Bucket and folder come from MEDIA_URL; address, region
and keys from the variables that all tools of this kind read (AWS_ENDPOINT_URL and so on)."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from backends import Unavailable

CONNECT_SECONDS, ANSWER_SECONDS = 3, 20
RETRIES = 2
AT_ONCE = 1_000


class ObjectStorage:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        folder = parts.path.strip("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        self.store = S3Store(
            parts.netloc,
            prefix=folder or None,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=ANSWER_SECONDS),
            },
            retry_config={
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=ANSWER_SECONDS),
            },
        )

    def put(self, key: str, data: bytes) -> None:
        with faults():
            obstore.put(self.store, key, data, attributes={"Content-Type": "image/webp"})

    def get(self, key: str) -> bytes | None:
        with faults():
            try:
                return obstore.get(self.store, key).bytes().to_bytes()
            except FileNotFoundError:
                return None

    def delete(self, keys: Iterable[str]) -> None:
        wanted = list(keys)
        with faults(), suppress(FileNotFoundError):
            for start in range(0, len(wanted), AT_ONCE):
                obstore.delete(self.store, wanted[start : start + AT_ONCE])

    def keys(self, folder: str, before: datetime) -> Iterator[str]:
        with faults():
            for some in obstore.list(self.store, folder):
                yield from (each["path"] for each in some if each["last_modified"] < before)


@contextmanager
def faults() -> Iterator[None]:
    """Whatever the store or the way to it has to say, a missing bucket too, is Unavailable."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise Unavailable from error
