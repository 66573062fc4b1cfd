"""Who may import whom, read from the imports themselves."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASE = {"settings", "errors", "models", "public_version", "languages"}
DOMAIN = BASE | {"database", "backends", "services", "auth_service"}
ENTRANCE = {"auth_dependencies", "auth_providers", "api_dependencies", "live_dependencies"}

# What a part of the house may import of ours, beside itself.
MAY_IMPORT = {
    "settings": set(),
    "languages": set(),
    "errors": {"languages"},
    "models": {"settings", "languages"},
    "public_version": {"models"},
    "database": {"settings", "models", "public_version"},
    "migrations": {"settings", "models", "database"},
    "backends": BASE | {"database"},
    "services": DOMAIN,
    "auth_service": DOMAIN,
    "web": {"settings", "languages", "errors", "backends"},
    "auth_dependencies": DOMAIN | {"web"},
    "auth_providers": DOMAIN | {"web", "auth_dependencies"},
    "api_dependencies": DOMAIN | {"web", "auth_dependencies", "auth_providers"},
    "live_watch": DOMAIN | {"web"},
    "public_watch": DOMAIN,
    "known_readers": DOMAIN | {"web", "auth_dependencies", "public_watch"},
    "live_dependencies": DOMAIN | {"web", "auth_providers", "live_watch"},
    "routers": DOMAIN | ENTRANCE | {"web", "migrations"},
    "jobs": DOMAIN,
    "main": DOMAIN
    | ENTRANCE
    | {"web", "live_watch", "public_watch", "known_readers", "migrations", "routers", "jobs"},
    "commands": DOMAIN | {"migrations"},
    "cli": DOMAIN | {"commands", "migrations", "jobs", "web"},
    "blog": set(),
}
WEB_FRAMEWORKS = {"fastapi", "starlette", "uvicorn"}
DATABASE_TOOLS = {"sqlalchemy", "sqlmodel", "alembic"}


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def sources() -> list[Path]:
    folders = [ROOT / name for name in MAY_IMPORT if (ROOT / name).is_dir()]
    files = [ROOT / f"{name}.py" for name in MAY_IMPORT if (ROOT / f"{name}.py").is_file()]
    return sorted([*files, *(path for folder in folders for path in folder.rglob("*.py"))])


def imports_of(path: Path) -> set[str]:
    """Dotted names of everything a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide where something comes from"
            found.add(node.module)
    return found


def packages_of(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports_of(path)}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    part = part_of(path)
    ours = packages_of(path) & set(MAY_IMPORT)
    assert ours <= MAY_IMPORT[part] | {part}


@pytest.mark.parametrize("part", ["services", "backends", "models", "errors", "auth_service"])
def test_the_domain_knows_nothing_of_http(part: str) -> None:
    for path in sources():
        if part_of(path) == part:
            assert not packages_of(path) & WEB_FRAMEWORKS, path


def test_routers_hold_no_queries() -> None:
    for path in sources():
        if part_of(path) == "routers":
            tools = {n for n in imports_of(path) if n.partition(".")[0] in DATABASE_TOOLS}
            assert tools <= {"sqlalchemy.exc"}, path


def test_nothing_commits_but_the_database_module() -> None:
    for path in sources():
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if is_commit(n)]
        assert not calls or path == ROOT / "database.py", path


def is_commit(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    )


def test_the_launcher_needs_nothing_but_the_standard_library() -> None:
    assert packages_of(ROOT / "blog.py") <= set(sys.stdlib_module_names)


def test_every_top_level_module_has_its_place_in_the_rules() -> None:
    modules = {path.stem for path in ROOT.glob("*.py")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert modules | packages == set(MAY_IMPORT)


# Whoever else logs people in would skip the second step.
LOGS_IN = {
    "routers/entering.py",  # asks for the second step first; a new account has none
    "routers/second_steps.py",  # after the second step
    "routers/passkey_logins.py",  # after a passkey that its owner unlocked
    "routers/api/auth.py",  # a new account, or a password by routers/api/entering.py
}


def test_nobody_is_logged_in_past_the_second_step() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in sources()
        if any(is_call_of("log_in", node) for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    }
    assert found == LOGS_IN


def is_call_of(name: str, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return getattr(called, "attr", None) == name or getattr(called, "id", None) == name


# What asks for itself when a post is or was public; everybody else asks these.
WHAT_IS_PUBLIC = {
    "models.py": {"is_public", "is_published", "is_scheduled", "was_published", "is_trashed"},
    "services/streams.py": {
        "is_public",
        "was_public",
        "is_waiting",
        "is_meant_for_readers",
        "outlook",
    },
    "services/archive.py": {"within"},  # a year, of what is listed
    "services/publishing.py": {"unscheduled"},
    "migrations/versions/0003_writing.py": {"revisions_of"},
}
TIMES_OF_POSTS = {"published_at", "first_published_at"}
COMPARING = {"is_", "is_not", "isnot", "in_", "not_in", "between", "op", "is_distinct_from"}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_one_condition_decides_what_is_public(path: Path) -> None:
    allowed = WHAT_IS_PUBLIC.get(str(path.relative_to(ROOT)), set())
    assert conditions_of_its_own(path.read_text("utf-8"), allowed) == []


def conditions_of_its_own(source: str, allowed: set[str]) -> list[int]:
    """The lines on which a time of publishing decides something, outside of these functions."""
    tree = ast.parse(source)
    found = {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.expr | ast.stmt) and is_condition_on_times(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in allowed:
            found -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sorted(found)


def is_condition_on_times(node: ast.expr | ast.stmt) -> bool:
    if isinstance(node, ast.Compare):
        return speaks_of_times(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in COMPARING and speaks_of_times(node.func.value)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        return is_time(node.test)
    if isinstance(node, ast.BoolOp):
        return any(is_time(value) for value in node.values)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) and is_time(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.search(r"published_at\s*(<|>|=|IS\b|BETWEEN\b)", node.value, re.I) is not None
    return False


def speaks_of_times(node: ast.AST) -> bool:
    return any(is_time(each) for each in ast.walk(node))


def is_time(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in TIMES_OF_POSTS


@pytest.mark.parametrize(
    "condition",
    [
        "Post.published_at <= now()",
        "col(Post.published_at).is_not(None)",
        "now() > post.first_published_at",
        "x if post.published_at else y",
        "post.published_at and post.slug",
        "not post.published_at",
        "text('published_at <= now()')",
        "query.where(col(Post.published_at).between(a, b))",
    ],
)
def test_another_condition_would_be_found(condition: str) -> None:
    assert conditions_of_its_own(f"def f(): return {condition}", set()) == [1]
    assert conditions_of_its_own(f"def f(): return {condition}", {"f"}) == []
