"""The manifests, the image and the pages about them fit the code, and each other."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from pydantic import SecretStr

import cli
from routers import health
from settings import ROOT, Settings

START = "python -m cli serve"
RELEASE = "python -m cli migrate"
SETTINGS = {name.upper() for name in Settings.model_fields}
READ_BY_PLATFORMS = {"PYTHON_VERSION"}
# Folders with code or texts that the blog does not need to run.
NOT_IN_THE_IMAGE = {"bench", "data", "docs", "tests"}
SECRET = "c0rrect-h0rse-battery-staple-and-a-heron"


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def instructions(name: str) -> list[str]:
    """The arguments of an instruction of the Dockerfile, continued lines joined."""
    lines = re.sub(r"^#.*\n", "", read("Dockerfile"), flags=re.M).replace("\\\n", " ").splitlines()
    return [line.removeprefix(f"{name} ").strip() for line in lines if line.startswith(f"{name} ")]


def heroku() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(read("app.json"))
    return manifest


def render() -> dict[str, Any]:
    web: dict[str, Any]
    (web,) = (service for service in blueprint()["services"] if service["type"] == "web")
    return web


def blueprint() -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(read("render.yaml"))
    return manifest


def fly() -> dict[str, Any]:
    return tomllib.loads(read("fly.toml"))


def procfile() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in read("Procfile").splitlines())


# Per manifest its variables; None where the platform fills in the value.
ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "app.json": {name: entry.get("value") for name, entry in heroku()["env"].items()},
    "render.yaml": {entry["key"]: entry.get("value") for entry in render()["envVars"]},
    "fly.toml": fly()["env"],
    "Dockerfile": dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(instructions("ENV")))),
}
of_every_manifest = pytest.mark.parametrize("manifest", ENVIRONMENTS)


@of_every_manifest
def test_a_manifest_names_only_settings_that_exist(manifest: str) -> None:
    others = READ_BY_PLATFORMS | {"PATH", "PYTHONUNBUFFERED"}
    assert ENVIRONMENTS[manifest].keys() <= SETTINGS | others


@of_every_manifest
def test_the_blog_accepts_the_values_of_a_manifest(manifest: str) -> None:
    given = {
        name.lower(): value
        for name, value in ENVIRONMENTS[manifest].items()
        if name in SETTINGS and value is not None
    }
    assert all(isinstance(value, str) for value in given.values())
    assert Settings.model_validate(given | {"secret_key": SECRET}).host == "0.0.0.0"


@of_every_manifest
def test_a_manifest_is_for_production(manifest: str) -> None:
    assert ENVIRONMENTS[manifest]["ENVIRONMENT"] == "production"


@of_every_manifest
def test_no_manifest_holds_a_secret(manifest: str) -> None:
    assert ENVIRONMENTS[manifest].get("SECRET_KEY") is None


def test_each_platform_makes_a_secret_or_says_how() -> None:
    assert heroku()["env"]["SECRET_KEY"]["generator"] == "secret"
    assert {"key": "SECRET_KEY", "generateValue": True} in render()["envVars"]
    assert "fly secrets set SECRET_KEY=" in read("fly.toml")
    for platform in ("Heroku", "Fly.io", "Railway", "Leapcell", "Google Cloud Run", "Dokku"):
        assert "SECRET_KEY" in section(platform), platform


def test_each_platform_has_a_database_that_outlives_a_deployment() -> None:
    assert any("postgresql" in addon for addon in heroku()["addons"])
    sources = {entry["key"]: entry for entry in render()["envVars"]}
    names = {database["name"] for database in blueprint()["databases"]}
    assert sources["DATABASE_URL"]["fromDatabase"]["name"] in names
    stores = {service["name"] for service in blueprint()["services"]}
    assert sources["REDIS_URL"]["fromService"]["name"] in stores
    assert fly()["mounts"]["destination"] == f"{instructions('WORKDIR')[-1]}/data"


def test_the_blog_starts_in_the_same_way_everywhere() -> None:
    assert procfile()["web"] == START
    assert render()["startCommand"] == START
    assert " ".join(json.loads(instructions("CMD")[-1])) == START
    assert f"`{START}`" in section("True everywhere")


def test_a_release_is_prepared_in_the_same_way_everywhere() -> None:
    assert procfile()["release"] == RELEASE
    assert render()["preDeployCommand"] == RELEASE
    assert fly()["deploy"]["release_command"] == RELEASE
    assert f"`{RELEASE}`" in section("True everywhere")


def test_the_commands_of_the_manifests_exist() -> None:
    commands = {command.callback.__name__ for command in cli.app.registered_commands}  # type: ignore[union-attr]
    assert {START.split()[-1], RELEASE.split()[-1]} <= commands


def test_signals_reach_the_blog_in_a_container() -> None:
    assert isinstance(json.loads(instructions("CMD")[-1]), list)
    assert not instructions("ENTRYPOINT")
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


def test_platforms_wait_until_the_blog_has_finished() -> None:
    assert fly()["kill_signal"] == "SIGTERM"
    assert fly()["kill_timeout"] > cli.GRACE_SECONDS
    assert render().get("maxShutdownDelaySeconds", 30) > cli.GRACE_SECONDS
    assert (
        int(re.findall(r"TimeoutStopSec=(\d+)", section("A plain server"))[0]) > cli.GRACE_SECONDS
    )


def test_health_is_asked_where_it_is_answered() -> None:
    (check,) = fly()["http_service"]["checks"]
    asked = {check["path"], render()["healthCheckPath"], *image_health_check()}
    assert asked <= {getattr(route, "path", "") for route in health.router.routes}


def image_health_check() -> list[str]:
    (check,) = instructions("HEALTHCHECK")
    command: list[str] = json.loads(check.partition("CMD ")[2])
    compile(command[-1], "HEALTHCHECK", "exec")
    return re.findall(r"'GET', '([^']+)'", command[-1])


def test_fly_asks_at_the_port_where_the_blog_listens() -> None:
    assert str(fly()["http_service"]["internal_port"]) == fly()["env"]["PORT"]
    assert fly()["http_service"]["force_https"]


def test_the_image_does_not_guess_what_stands_in_front_of_it() -> None:
    assert "TRUSTED_PROXIES" not in ENVIRONMENTS["Dockerfile"]


def test_the_image_runs_as_an_ordinary_user() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instructions("USER")[-1])


def test_the_image_has_nothing_that_a_platform_refuses_or_misreads() -> None:
    assert not instructions("VOLUME")  # Railway refuses it
    assert not instructions("EXPOSE")  # Dokku would open that port to visitors


def test_the_image_holds_all_that_runs_and_nothing_private() -> None:
    rules = [rule for rule in read(".dockerignore").splitlines() if not rule.startswith("#")]
    assert rules[0] == "*"
    kept = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - NOT_IN_THE_IMAGE <= kept
    assert {"*.py", "demo", "public", "requirements.txt", "templates"} <= kept
    assert not kept & NOT_IN_THE_IMAGE
    assert not any(name.startswith(".") for name in kept)


def test_all_platforms_run_the_same_python() -> None:
    version = read(".python-version").strip()
    assert version in ("3.11", "3.12", "3.13", "3.14")
    images = {line.split()[0] for line in instructions("FROM")}
    assert images == {f"python:{version}-slim"}
    assert f"Python {version}" in section("Leapcell")


def test_the_list_of_packages_stands_alone() -> None:
    lines = read("requirements.txt").splitlines()
    assert not [line for line in lines if line.startswith("-")]  # Railway copies only this file
    others = ("uv.lock", "poetry.lock", "Pipfile", "runtime.txt")  # Heroku refuses a second one
    assert not [name for name in others if (ROOT / name).exists()]


def test_the_configuration_page_names_every_setting_and_no_other() -> None:
    assert set(configuration()) == SETTINGS
    assert list(configuration()) == [name.upper() for name in Settings.model_fields]


def test_the_configuration_page_knows_the_defaults() -> None:
    for name, shown in configuration().items():
        default = Settings.model_fields[name.lower()].default
        if name == "DATABASE_URL":
            assert default.endswith(f"/{shown}")
        elif name != "SECRET_KEY":
            assert shown == in_words(default), name


def in_words(default: object) -> str:
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    if default in ("", [], SecretStr("")):
        return "empty"
    return "by itself" if default is None else str(default)


def test_the_security_page_names_tests_that_exist() -> None:
    file, named = "", 0
    for cell in re.findall(r"`((?:[\w/]+\.py)?::\w+)`", read("docs/security.md")):
        file = cell.partition("::")[0] or file
        test = cell.partition("::")[2]
        assert re.search(rf"^(async )?def {test}\(", read(f"tests/{file}"), flags=re.M), cell
        named += 1
    assert named > 100


def configuration() -> dict[str, str]:
    """Each setting of the page's table and its default, in their order."""
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", read("docs/configuration.md"), flags=re.M)
    return {name: default.strip("` ") for name, default in rows}


@pytest.mark.parametrize(
    ("platform", "manifest"),
    [("Heroku", "app.json"), ("Render", "render.yaml"), ("Fly.io", "fly.toml")],
)
def test_a_manifest_counts_the_proxies_as_the_deployment_page_does(
    platform: str, manifest: str
) -> None:
    assert proxies()[platform] == ENVIRONMENTS[manifest]["TRUSTED_PROXIES"]


@pytest.mark.parametrize("platform", ["Heroku", "Railway", "Leapcell", "Google Cloud Run", "Dokku"])
def test_the_deployment_page_counts_the_proxies_in_one_way(platform: str) -> None:
    said = re.findall(r"TRUSTED_PROXIES=(\d)", section(platform))
    assert said[0] == proxies()[platform]


def proxies() -> dict[str, str]:
    rows = re.findall(r"^\| (.+?) \| .+ \| (\d).* \|$", section("True everywhere"), flags=re.M)
    return dict(rows)


def test_the_pages_link_to_files_that_exist() -> None:
    for page in Path(ROOT, "docs").rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_index_lists_every_decision() -> None:
    records = {path.name for path in Path(ROOT, "docs/decisions").glob("0*.md")}
    assert set(re.findall(r"\]\((0[^)]+)\)", read("docs/decisions/README.md"))) == records


def section(title: str) -> str:
    """The deployment page from a heading to the next of its level."""
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", read("docs/deployment.md"), re.M | re.S)
    assert found, title
    return found[1]
