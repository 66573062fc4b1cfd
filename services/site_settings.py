"""What the owner of a blog may choose of it: read, checked and stored."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError, model_validator
from sqlmodel import Session

from database import after_commit
from languages import DATE_FORMATS, Speech, _, spoken
from models import Media, SiteSettings, now
from services import colours, zones
from services.text import check_characters, checked_line, optional_line

CHANGED = "site settings changed"  # after the commit; listeners get nothing
LONGEST_SITE_NAME, LONGEST_DESCRIPTION = 80, 300
MOST_WAYS, LONGEST_LABEL, LONGEST_ADDRESS = 12, 40, 200
LONGEST_FOOTER = 1000
MOST_CSS_KB = 32
FEWEST_PER_PAGE, MOST_PER_PAGE, PER_PAGE = 5, 100, 20
OWN_PATH = re.compile(r"/(?![/\\])[^\s\\<>\"]*")


@dataclass(frozen=True)
class Way:
    """One of the links that lead through the blog."""

    label: str
    address: str

    @property
    def is_elsewhere(self) -> bool:
        return not self.address.startswith("/")


def ways_in(text: str) -> list[Way]:
    """From lines such as “About = /about”. What is checked has no others."""
    return [
        Way(label.strip(), address.strip())
        for label, _sign, address in (line.partition("=") for line in text.splitlines())
        if address.strip()
    ]


def checked_navigation(typed: str) -> str:
    """One line for each link, without what does not matter. Raises ValueError with a sentence."""
    if len(typed) > MOST_WAYS * (LONGEST_LABEL + LONGEST_ADDRESS) * 2:
        raise ValueError(_("At most %(most)s links, please.", most=MOST_WAYS))
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    if len(lines) > MOST_WAYS:
        raise ValueError(_("At most %(most)s links, please.", most=MOST_WAYS))
    return "\n".join(way(line) for line in lines)


def way(line: str) -> str:
    label, sign, address = (part.strip() for part in line.partition("="))
    if not (label and sign and address):
        raise ValueError(_("Each line needs a name, “=”, and an address: About = /about"))
    label = checked_line(label, LONGEST_LABEL)
    address = checked_line(address, LONGEST_ADDRESS)
    if not OWN_PATH.fullmatch(address) and not leads_elsewhere(address):
        raise ValueError(
            _("“%(label)s” needs an address that begins with / or https://.", label=label)
        )
    return f"{label} = {address}"


def leads_elsewhere(address: str) -> bool:
    if not re.fullmatch(r"https://[^\s\\<>\"]+", address):
        return False
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        return False


def checked_footer(typed: str) -> str:
    text = lines_of(typed).strip()
    if len(text) > LONGEST_FOOTER:
        raise ValueError(_("At most %(most)s characters, please.", most=LONGEST_FOOTER))
    return text


def style(typed: str) -> str:
    text = lines_of(typed).strip()
    if len(text.encode()) > MOST_CSS_KB * 1024:
        raise ValueError(_("At most %(most)s KB, please.", most=MOST_CSS_KB))
    return text


def lines_of(typed: str) -> str:
    """As it was typed, with newlines as \\n. Raises ValueError with a sentence."""
    text = typed.replace("\r\n", "\n").replace("\r", "\n")
    check_characters(text)
    return text


def colour(typed: str) -> str:
    """“#rrggbb”, or "" for ink blue, which is there without being chosen."""
    found = typed.strip().lower()
    if not found or found == colours.INK_BLUE:
        return ""
    if not colours.HEX.fullmatch(found):
        raise ValueError(_("A colour is written as in #336699."))
    return found


def number(typed: Any) -> Any:
    """Raises ValueError with a sentence: what is no number, or too small or large."""
    text = str(typed).strip()
    if not re.fullmatch(r"[0-9]{1,3}", text) or not FEWEST_PER_PAGE <= int(text) <= MOST_PER_PAGE:
        sentence = _(
            "A number from %(fewest)s to %(most)s, please.",
            fewest=FEWEST_PER_PAGE,
            most=MOST_PER_PAGE,
        )
        raise ValueError(sentence)
    return int(text)


class Chosen(BaseModel):
    """All that is chosen on one page. What is empty is as the environment says, or as it comes."""

    site_name: Annotated[str, optional_line(LONGEST_SITE_NAME)] = ""
    site_description: Annotated[str, optional_line(LONGEST_DESCRIPTION)] = ""
    language: Literal["en", "de"] = "en"
    date_format: Literal["full", "long", "medium", "iso"] = "long"
    per_page: Annotated[int, BeforeValidator(number)] = PER_PAGE
    accent: Annotated[str, AfterValidator(colour)] = ""
    ink_blue: Literal["", "on"] = ""  # instead of the colour chosen
    logo_alone: Literal["", "on"] = ""  # without the name beside it
    navigation: Annotated[str, AfterValidator(checked_navigation)] = ""
    footer: Annotated[str, AfterValidator(checked_footer)] = ""
    css: Annotated[str, AfterValidator(style)] = ""

    @model_validator(mode="after")
    def take_ink_blue(self) -> Self:
        if self.ink_blue:
            self.accent = self.ink_blue = ""
        return self

    @classmethod
    def stored(cls, values: dict[str, Any]) -> Self:
        """From the database; whatever a newer version has put there and we cannot use is left out."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = {each["loc"][0] for each in error.errors()}
            return cls.model_validate({k: v for k, v in values.items() if k not in wrong})

    def about(self) -> dict[str, Any]:
        return self.model_dump(exclude_defaults=True)


class Logo(BaseModel):
    """Which image; "" for none."""

    image: Annotated[str, optional_line(64)] = ""


def as_typed(row: SiteSettings) -> dict[str, str]:
    """What was chosen, as the form has it."""
    return {name: str(value) for name, value in Chosen.stored(row.chosen).model_dump().items()}


def dates() -> list[tuple[str, str]]:
    """The ways to write a day, each with today as an example in the language spoken."""
    day = now().date()
    return [(name, zones.day_in(Speech(spoken().language, name), day)) for name in DATE_FORMATS]


def find(db: Session) -> SiteSettings:
    """What was chosen, or a row to choose in."""
    return db.get(SiteSettings, 1) or SiteSettings()


def change(db: Session, chosen: Chosen) -> list[str]:
    """Store it; the names of what is new."""
    row = find(db)
    before, after = Chosen.stored(row.chosen).about(), chosen.about()
    row.chosen = after
    db.add(row)
    after_commit(db, CHANGED)
    return sorted(name for name in before.keys() | after if before.get(name) != after.get(name))


def show_logo(db: Session, image: Media | None) -> None:
    """At the head of every page, and so to everybody; None for no logo any more."""
    row = find(db)
    row.logo_id = image.id if image else None
    db.add(row)
    after_commit(db, CHANGED)
