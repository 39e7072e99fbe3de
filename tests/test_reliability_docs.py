"""docs/reliability.md: every fault has a behaviour, and a test that injects it and exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in PAGE.partition("## The faults")[2].partition("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith(("| fault", "|--"))
]
TESTS = set(
    re.findall(r"def (test_\w+)\(", "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")))
)
WORDS = {"explored": "tests/transfer/explore", "crash": "tests/crash", "chaos": "tests/chaos"}


def test_the_table_is_there():
    assert len(ROWS) > 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_fault_has_a_behaviour_and_a_test_that_exists(row):
    fault, behaviour, shown_by = row
    assert behaviour
    named = re.findall(r"`([^`]+)`", shown_by)
    words = [WORDS[word] for word in WORDS if re.search(rf"\b{word}\b", shown_by)]
    assert named or words, f"nothing injects {fault!r}"
    for name in [*named, *words]:
        if name.startswith("make "):
            assert re.search(rf"^{name.removeprefix('make ')}:", (ROOT / "Makefile").read_text("utf-8"), re.M)
        elif name.startswith("test_"):
            assert name in TESTS
        else:
            assert (ROOT / name).exists()
