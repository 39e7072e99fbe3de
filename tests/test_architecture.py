"""Who may know whom, and how long a module may get."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EDGES = ("switch", "voice", "api", "console")
LONGEST = 350


def modules(*folders: str) -> list[Path]:
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
    )


def imports(path: Path) -> Iterator[str]:
    """Dotted names of everything a module imports, wherever in it, relative imports made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def strangers(folder: str, forbidden) -> list[str]:
    """The imports below `folder` that `forbidden` refuses."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(folder)
        for name in imports(path)
        if forbidden(name)
    ]


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def test_the_state_machine_imports_the_standard_library_and_itself_alone():
    def foreign(name: str) -> bool:
        return not inside(name, "calls.transfer") and name.partition(".")[0] not in sys.stdlib_module_names

    # `from calls.transfer import states` also names "calls.transfer", which is itself.
    assert strangers("calls/transfer", foreign) == []


def test_the_state_machine_reads_no_clock_and_rolls_no_dice():
    forbidden = {"time", "random", "secrets", "asyncio", "threading", "socket", "os", "uuid.uuid4"}
    assert strangers("calls/transfer", lambda name: name in forbidden) == []
    text = "\n".join(path.read_text(encoding="utf-8") for path in modules("calls/transfer"))
    assert not re.search(r"datetime\.(utc)?now\(|uuid4\(", text)


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_never_imports_another_edge(edge):
    others = [f"calls.{other}" for other in EDGES if other != edge]
    assert strangers(f"calls/{edge}", lambda name: any(inside(name, other) for other in others)) == []


@pytest.mark.parametrize("folder", ["services", "transfer", "models"])
def test_the_inside_never_imports_an_edge(folder):
    edges = [f"calls.{edge}" for edge in EDGES]
    # What is said to people is worded in one pure module, read where the outbox is written.
    wording = ("calls.voice", "calls.voice.script")
    found = strangers(f"calls/{folder}", lambda name: any(inside(name, edge) for edge in edges) and name not in wording)
    assert found == []


def test_the_simulator_is_a_program_of_its_own_without_django():
    def foreign(name: str) -> bool:
        ours = inside(name, "calls") and not inside(name, "calls.simulator") and name != "calls"
        return ours or name.partition(".")[0] in {"django", "channels", "transferhub", "greenswitch", "gevent"}

    # Its voices come from the product's synthesiser, which knows nothing of Django either.
    allowed = "calls.voice.synthesis"
    assert strangers("calls/simulator", lambda name: foreign(name) and not inside(name, allowed)) == []


def test_the_product_never_imports_the_simulator():
    folders = [*EDGES, "services", "transfer", "models", "company"]
    found = [
        line
        for folder in folders
        for line in strangers(f"calls/{folder}", lambda name: inside(name, "calls.simulator"))
    ]
    assert found == []


@pytest.mark.parametrize("folder", [*EDGES, "transfer", "models"])
def test_only_commands_jobs_and_pages_send_for_the_doctor(folder):
    assert strangers(f"calls/{folder}", lambda name: inside(name, "calls.doctor")) == []


def test_only_one_place_knows_greenswitch():
    using = {
        str(path.relative_to(ROOT))
        for path in modules("calls", "transferhub")
        if any(inside(name, "greenswitch") or inside(name, "gevent") for name in imports(path))
    }
    assert len(using) <= 2 and all(name.startswith("calls/switch/") for name in using), using


def test_no_module_is_too_long_to_be_read_in_one_go():
    long = {
        str(path.relative_to(ROOT)): length
        for path in modules("calls", "transferhub", "tests")
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def test_the_simulator_starts_without_django_being_installed():
    script = "import sys; sys.modules['django'] = None; import calls.simulator.switch, calls.simulator.realtime"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
