"""What people have beside a password: an authenticator app and a drawer with recovery codes."""

import re
import time

import pyotp

from models import User
from tests.blog import Blog, Person

PAGE = "/settings/two-factor"
CODES = f"{PAGE}/recovery-codes"


class App:
    """An authenticator app, set up for one account."""

    def __init__(self, blog: Blog, secret: str) -> None:
        self.blog = blog
        self.totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """What it shows now, or showed so many steps of 30 seconds ago (-1) or will (1)."""
        return self.totp.at(time.time(), counter_offset=steps)

    def next_code(self) -> str:
        """A code that counts, whatever was used before: as if half a minute had passed."""
        self.blog.put(User, totp_step=0)
        return self.code()


def begin_app(person: Person) -> App:
    """Up to the QR code: nothing is switched on yet."""
    page = person.post(f"{PAGE}/secret", follow_redirects=True).text
    shown = re.search(r'<p class="key"[^>]*>([A-Z2-7 ]+)</p>', page)
    assert shown, page
    return App(person.blog, shown[1].replace(" ", ""))


def set_up_app(person: Person) -> App:
    app = begin_app(person)
    response = person.post(PAGE, {"code": app.code()})
    assert response.status_code == 303, response.text
    return app


def recovery_codes(person: Person) -> list[str]:
    """Those that were just made."""
    return re.findall(r"<li>([0-9a-z]{4}(?:-[0-9a-z]{4}){3})</li>", person.get(CODES).text)


def at_second_step(blog: Blog, username: str, **fields: str) -> Person:
    """Another browser, where the password was right."""
    person = Person(blog, username)
    response = person.log_in(**fields)
    assert response.status_code == 303, response.text
    assert response.headers["location"].startswith("/auth/two-factor?next=")
    return person


def second_step(person: Person, code: str, **fields: str) -> int:
    return person.post("/auth/two-factor", {"code": code, **fields}).status_code


def grow_old(person: Person) -> None:
    """Make a login one that is not fresh."""
    person.log_in_again(remember="on")
    person.lose_session()
