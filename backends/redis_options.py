"""How we talk to Redis: short time-outs, no retries, and certificates as PaaS vendors make them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

TIMEOUT_SECONDS = 0.25
# So many calls of each of our two clients go on at once, the others wait their turn. A burst of
# requests must not become a burst of handshakes that time each other out, and small plans allow
# twenty connections in all.
MOST_CONNECTIONS = 8


def redis_options(url: str) -> dict[str, Any]:
    """Keyword arguments for `from_url`, sync and async.

    redis-py's default retries would make every request wait 4.6 s while Redis is down. Its notices
    of maintenance keep it from replacing connections that a restart has closed. Managed
    Redis services sign their certificates themselves, so `rediss://` encrypts without verifying
    unless the address says `?ssl_cert_reqs=required`.
    """
    options: dict[str, Any] = {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "decode_responses": True,
        "encoding_errors": "replace",
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    parts = urlsplit(url)
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parse_qs(parts.query):
        options |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return options


NO_RETRIES = (NoBackoff(), 0)
