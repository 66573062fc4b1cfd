"""What stands above a text: written as YAML that is JSON too, read as YAML or TOML.

Written here because the libraries for it let a text say which Python objects it becomes, or make a
number of what somebody meant as a title.
"""

import json
import re
import tomllib
from datetime import datetime
from typing import Any

from errors import Invalid

MOST_BYTES = 64 * 1024
DEEPEST = 8
FENCES = {"---": "YAML", "+++": "TOML"}
# What JSON leaves as it is, and YAML would refuse or take as the end of a line.
NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


def write(about: dict[str, Any], content: str) -> str:
    """A text with what is known of it above."""
    return f"---\n{write_yaml(about)}---\n\n{content}"


def write_yaml(about: dict[str, Any]) -> str:
    """A line for each value. Every value of JSON is one of YAML, so nothing that somebody typed
    can break out of its line."""
    return "".join(f"{name}: {on_one_line(value)}\n" for name, value in about.items())


def on_one_line(value: Any) -> str:
    plain = json.dumps(value, ensure_ascii=False, default=in_utc)
    return NOT_IN_YAML.sub(lambda found: f"\\u{ord(found.group()):04x}", plain)


def in_utc(value: datetime) -> str:
    return value.isoformat()


def read(text: str) -> tuple[dict[str, Any], str]:
    """What stands above a text, and the text; nothing stands above one without a fence.

    Raises:
        Invalid: it is none, too long, or more than plain values, lists and what they are called.
    """
    fence, _, rest = text.partition("\n")
    if fence.rstrip() not in FENCES:
        return {}, text
    fence = fence.rstrip()
    end = re.search(rf"^{re.escape(fence)}[ \t\r]*(?:\n|\Z)", rest, re.M)
    if end is None:
        raise Invalid({"": f"It begins with {fence}, and there is no second line of that."})
    head, content = rest[: end.start()], rest[end.end() :]
    about = read_yaml(head) if fence == "---" else read_toml(head)
    return about, content.removeprefix("\n")


def read_yaml(head: str) -> dict[str, Any]:
    """Values are texts, whatever they look like: whoever asks knows what they should be.

    Raises:
        Invalid: as `read`.
    """
    import yaml

    check_size(head)
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        check_events(yaml.parse(head, Loader=loader))
        return named(yaml.load(head, Loader=loader))  # noqa: S506 - it makes nothing but texts
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise Invalid({"": f"What stands above the text is no YAML{where}."}) from None


def check_events(events: Any) -> None:
    """A few lines of references could otherwise grow to gigabytes."""
    from yaml import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in events:
        if getattr(event, "anchor", None) is not None:
            raise Invalid({"": "References (& and *) are not taken in YAML."})
        if getattr(event, "tag", None) is not None:
            raise Invalid({"": f"Types are not taken in YAML: {event.tag[:40]}"})
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            raise Invalid({"": "What stands above the text is nested too deeply."})


def read_toml(head: str) -> dict[str, Any]:
    check_size(head)
    try:
        return named(as_texts(tomllib.loads(head)))
    except (tomllib.TOMLDecodeError, RecursionError):
        raise Invalid({"": "What stands above the text is no TOML."}) from None


def as_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_texts(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_size(head: str) -> None:
    if len(head.encode()) > MOST_BYTES:
        raise Invalid({"": f"At most {MOST_BYTES // 1024} KB may stand above a text."})


def named(found: Any) -> dict[str, Any]:
    if found in (None, ""):
        return {}
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise Invalid({"": "What stands above the text must be names with values."})
    return found
