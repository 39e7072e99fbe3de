"""docs/security.md names the tests that hold; each of them exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_threat_is_held_by_a_test_that_exists():
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", page))
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))
    assert len(named) > 40
    assert named - there == set()


def test_every_line_of_every_table_names_a_test():
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
    assert len(lines) > 40
    # A network that is listened to is no business of a test: what to do about it is.
    assert [line for line in lines if "`test_" not in line and "listened to" not in line] == []


def test_every_dependency_has_one_version():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
    assert wanted and all("==" in line for line in wanted)
