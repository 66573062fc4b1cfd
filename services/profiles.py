"""What people say about themselves, beside their posts."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, HttpUrl, TypeAdapter, ValidationError
from sqlmodel import Session

from languages import _
from models import User
from services.text import one_line, optional_line

LONGEST_NAME, LONGEST_BIO, LONGEST_ADDRESS = 80, 500, 200


def web_address(typed: str) -> str:
    """An http or https address in its normal form, with the scheme that people leave out; or ""."""
    if not typed:
        return ""
    full = typed if "://" in typed else f"https://{typed}"
    try:
        address = str(TypeAdapter(HttpUrl).validate_python(full))
    except ValidationError:
        raise ValueError(_("This does not look like a web address.")) from None
    if len(address) > LONGEST_ADDRESS:
        raise ValueError(_("At most %(most)s characters, please.", most=LONGEST_ADDRESS))
    return address


class Profile(BaseModel):
    display_name: Annotated[str, one_line(LONGEST_NAME)]
    bio: Annotated[str, optional_line(LONGEST_BIO)] = ""
    website: Annotated[str, optional_line(LONGEST_ADDRESS), AfterValidator(web_address)] = ""


def of(user: User) -> dict[str, str]:
    """The profile as form fields."""
    return {name: getattr(user, name) for name in Profile.model_fields}


def update(db: Session, user: User, profile: Profile) -> None:
    user.sqlmodel_update(profile)
    db.add(user)
