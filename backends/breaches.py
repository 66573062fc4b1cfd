"""Whether a password is in a public list of breached ones. Five of the forty digits of its SHA-1
are asked for, and hundreds of passwords share those (k-anonymity, as at haveibeenpwned.com).

Our own: it is one GET, and must cost a registration no more than a second.
"""

import hashlib
import http.client
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

from backends.http import connect, whole

log = logging.getLogger("inkstand")
SECONDS = 1
POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="breaches")


def lists(url: str, password: str) -> bool:
    """Whether the list at `url` has it. No answer within a second, or a strange one, means no."""
    # The list is made so; nothing is protected by this digest.
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    future = POOL.submit(fetch, url + digest[:5])
    try:
        lines = future.result(SECONDS)
    except (TimeoutError, OSError, http.client.HTTPException, ValueError) as error:
        future.cancel()
        log.warning("the list of breached passwords does not answer: %s", type(error).__name__)
        return False
    return any(is_listed(line, digest[5:]) for line in lines)


def fetch(url: str) -> list[str]:
    deadline = time.monotonic() + SECONDS
    with closing(connect(url, SECONDS)) as connection:
        connection.request("GET", urlsplit(url).path, headers={"Add-Padding": "true"})
        with connection.getresponse() as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            return whole(response, deadline).decode("ascii").splitlines()


def is_listed(line: str, rest: str) -> bool:
    """“003D68EB55068C33ACE09247EE4C639306B:3”; lines that only pad the answer say 0."""
    suffix, _, times = line.partition(":")
    return suffix == rest and times.strip() != "0"
