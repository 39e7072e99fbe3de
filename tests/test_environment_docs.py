"""What an operator may set is written down where he looks for it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READ = re.compile(
    r"""(?:env\.(?:text|secret|number|integer|switched_on|listed|one_of|amounts)|os\.environ\.get|os\.getenv|_seconds)\(\s*"([A-Z][A-Z0-9_]+)"
      | os\.environ\[\s*"([A-Z][A-Z0-9_]+)"\s*\](?!\s*=)
      | "([A-Z][A-Z0-9_]+)"\s+in\s+os\.environ""",
    re.X,
)
SECRET = re.compile(r'env\.secret\(\s*"([A-Z][A-Z0-9_]+)"')
NOT_OURS = {"DJANGO_SETTINGS_MODULE"}


def sources() -> str:
    paths = [path for folder in ("transferhub", "calls") for path in (ROOT / folder).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def names_read() -> set[str]:
    names = {name for match in READ.findall(sources()) for name in match if name} - NOT_OURS
    return {name for name in names if name.removesuffix("_FILE") == name or name.removesuffix("_FILE") not in names}


def names_in(document: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (ROOT / document).read_text(encoding="utf-8"), re.M))


def test_the_search_finds_the_names():
    assert {"SECRET_KEY", "DATABASE_URL", "LIMITS_DIVISOR", "DEMO_EVERY", "PROMPT_VOICE"} <= names_read()


@pytest.mark.parametrize(
    ("document", "pattern"),
    [("docs/environment.md", r"`([A-Z][A-Z0-9_]+)`"), (".env.example", r"^#? ?([A-Z][A-Z0-9_]+)=")],
)
def test_every_variable_is_documented(document, pattern):
    assert names_read() - names_in(document, pattern) == set()


def test_no_variable_is_documented_that_nobody_reads():
    documented = names_in(".env.example", r"^#? ?([A-Z][A-Z0-9_]+)=")
    assert documented - names_read() == set()


def test_the_page_says_which_secrets_may_come_from_a_file():
    page = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    for name in SECRET.findall(sources()):
        line = next(line for line in page.splitlines() if line.startswith(f"| `{name}`"))
        assert "secret" in line, name
