"""Styles, fonts and pictures: hashed for ever, compressed, and nothing else from the disk."""

import gzip
import re

import brotli
import pytest

from tests.blog import Person
from web.security_headers import HEADERS, content_security_policy

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def style(stranger: Person) -> str:
    found = re.search(r'rel="stylesheet" href="([^"]+)"', stranger.get("/").text)
    assert found
    return found.group(1)


def test_hashed_files_are_kept_for_ever(stranger: Person) -> None:
    answer = stranger.get(style(stranger))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    plain = stranger.get("/static/css/site.css")
    assert plain.headers["cache-control"] == "public, max-age=3600"
    assert plain.content == answer.content


@pytest.mark.parametrize(
    ("accepted", "unpack"), [("br", brotli.decompress), ("gzip", gzip.decompress)]
)
def test_they_come_compressed_to_those_who_can_read_it(
    stranger: Person, accepted: str, unpack: object
) -> None:
    path = style(stranger)
    plain = stranger.get(path, headers={"Accept-Encoding": "identity"})
    with stranger.client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == accepted
    assert answer.headers["vary"] == "Accept-Encoding"
    assert callable(unpack)
    assert unpack(raw) == plain.content
    assert len(raw) < len(plain.content) / 2


def test_an_unchanged_file_is_not_sent_again(stranger: Person) -> None:
    etag = stranger.get("/static/icons/icon.svg").headers["etag"]
    answer = stranger.get("/static/icons/icon.svg", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_every_address_in_the_style_sheet_leads_somewhere(stranger: Person) -> None:
    addresses = re.findall(r'url\("([^"]+)"\)', stranger.get(style(stranger)).text)
    assert addresses
    for address in addresses:
        assert re.search(r"\.[0-9a-f]{12}\.", address)
        assert stranger.get(address).status_code == 200


def test_the_icon_is_where_browsers_look(stranger: Person) -> None:
    assert stranger.get("/favicon.ico").headers["content-type"] == "image/x-icon"


def test_many_ranges_are_answered_with_the_whole_file(stranger: Person) -> None:
    ranges = "bytes=" + ",".join(f"{n}-" for n in range(2000))
    answer = stranger.get("/static/icons/icon.svg", headers={"Range": ranges})
    assert answer.status_code == 200


def test_every_answer_carries_the_security_headers(stranger: Person, alice: Person) -> None:
    slug = alice.write()
    answers = [
        stranger.get(path)
        for path in (
            "/",
            f"/posts/{slug}",
            "/nothing",
            "/drafts",
            "/healthz",
            "/favicon.ico",
            "/x/",
        )
    ]
    answers.append(stranger.post("/posts", headers={"Origin": "https://evil.example"}))
    answers.append(stranger.client.request("PUT", "/posts"))
    policy = content_security_policy("")
    assert "unsafe" not in policy
    for answer in answers:
        for name, value in (HEADERS | {"Content-Security-Policy": policy}).items():
            assert answer.headers[name] == value, answer.url
        assert "server" not in answer.headers
        assert len(answer.headers["x-request-id"]) == 16


def test_no_foreign_page_may_read_ours(stranger: Person) -> None:
    answer = stranger.get("/", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_scripts_import_each_other_by_names_that_are_kept_for_ever(stranger: Person) -> None:
    entry = stranger.get("/static/js/editor/editor.js").text
    addresses = re.findall(r'from "([^"]+)"', entry)
    assert len(addresses) >= 4
    for address in addresses:
        assert re.fullmatch(r"/static/js/editor/\w+\.[0-9a-f]{12}\.js", address)
        answer = stranger.get(address)
        assert "immutable" in answer.headers["cache-control"]
