"""A circuit breaker. Our own: the packaged ones count failures, we only need "not this second"."""

import time
from types import TracebackType

from redis.exceptions import RedisError, ResponseError

from backends import Unavailable

REST_SECONDS = 1.0


class Breaker:
    """`with breaker:` around each call to Redis, in threads and coroutines alike.

    After a failure, calls fail at once with Unavailable for a second instead of waiting for the
    time-out each; then one call is let through to try, and success closes the breaker. A Redis
    that refuses a command (it is full, or a replica) is Unavailable for that, but does answer.
    """

    def __init__(self) -> None:
        self.open_until = 0.0

    def __enter__(self) -> None:
        if not self.open_until:
            return
        now = time.monotonic()
        if now < self.open_until:
            raise Unavailable
        self.open_until = now + REST_SECONDS  # this call tries; the others go on resting

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        has_failed = isinstance(error, (RedisError, OSError))
        answers = isinstance(error, ResponseError) or not has_failed
        self.open_until = 0.0 if answers else time.monotonic() + REST_SECONDS
        if has_failed:
            raise Unavailable from error
