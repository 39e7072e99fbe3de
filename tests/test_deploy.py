"""What an engineer copies from deploy/ speaks of things that exist."""

import json
import re
import shlex
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from calls import metrics
from calls.demo.parts import product
from calls.voice.leg import STOP_SECONDS

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
SNIPPETS = sorted(DEPLOY.glob("freeswitch/*.xml"))
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
SET_BY_OTHERS = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "PYTHONUNBUFFERED", "PABX2_PASSWORD"}


def documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", (ROOT / "docs" / "environment.md").read_text("utf-8"), re.M))


def command(unit: Path) -> list[str]:
    text = unit.read_text("utf-8").replace("\\\n", " ")
    return shlex.split(re.search(r"^ExecStart=(.*)$", text, re.M)[1])[1:]


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.name)
def test_a_snippet_is_xml_and_holds_no_preprocessor_line_in_a_comment(path):
    text = path.read_text("utf-8")
    xml.fromstring(text)
    for comment in re.findall(r"<!--.*?-->", text, re.S):
        assert "X-PRE-PROCESS" not in comment  # FreeSWITCH acts on those before it knows what a comment is


def test_the_conference_profile_makes_no_sound_of_its_own_but_music():
    profile = xml.parse(DEPLOY / "freeswitch" / "conference_profile.xml").find("profile")
    params = {param.get("name"): param.get("value") for param in profile}
    assert {name for name in params if name.endswith("-sound")} == {"moh-sound"}
    assert params["caller-controls"] == params["moderator-controls"] == "none"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_the_demo_starts(path):
    ours = {part.name: part.command[1:] for part in product("127.0.0.1", 8000, "", {})}
    name = re.match(r"transferhub-(\w+)", path.name)[1]
    said, wanted = command(path), ours[name]
    options = {"--log-level", "--timeout-graceful-shutdown", "--port"}  # whose values may differ
    for position, word in enumerate(wanted):
        if not position or wanted[position - 1] not in options:
            assert word in said


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_and_compose_give_a_process_as_long_to_stop_and_long_enough(path, settings):
    name = re.match(r"transferhub-(\w+)", path.name)[1]
    seconds = int(re.search(r"^TimeoutStopSec=(\d+)$", path.read_text("utf-8"), re.M)[1])
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"][name]
    assert service["stop_grace_period"] == f"{seconds}s"
    graceful = {
        "web": settings.DRAIN_SECONDS + 5 + 2 * STOP_SECONDS,
        "worker": settings.RQ_QUEUES["default"]["DEFAULT_TIMEOUT"],
    }
    assert seconds > graceful.get(name, 10)


def test_every_secret_is_handed_over_by_systemd_and_by_compose():
    page = (ROOT / "docs" / "environment.md").read_text("utf-8")
    secrets = set(re.findall(r"^\| `([A-Z_]+)` \|[^|]*\| secret\.", page, re.M))
    shared = (DEPLOY / "systemd" / "transferhub-.service.d" / "common.conf").read_text("utf-8")
    assert set(re.findall(r"^LoadCredential=(\w+):", shared, re.M)) == secrets
    assert set(re.findall(r"(\w+)_FILE=%d/\1\b", shared)) == secrets
    ours = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["x-ours"]
    # Redis is a service of the same file there, without a password.
    assert {f"{name}_FILE" for name in secrets - {"REDIS_URL"}} == set(ours["environment"]) - {"REDIS_URL"}


def test_no_name_is_set_that_nobody_reads():
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.suffix in {".yaml", ".conf", ".service"} or path.name == "Dockerfile":
            text = path.read_text("utf-8")
            names = set(re.findall(r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?==|:)", text))
            assert {name.removesuffix("_FILE") for name in names} - documented() <= SET_BY_OTHERS, path


def names_told() -> set[str]:
    families = text_string_to_metric_families(metrics.render().decode())
    suffixes = {"gauge": [""], "counter": ["_total"], "histogram": ["", "_bucket"]}
    return {f"{family.name}{suffix}" for family in families for suffix in suffixes[family.type]}


@pytest.fixture
def prices(settings):
    settings.REALTIME_PRICES = {"audio_in": 32.0}


def test_the_page_explains_every_metric_and_no_other(db, prices):
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    told = {name for name in names_told() if not name.endswith("_bucket")}
    rows = "\n".join(re.findall(r"^\| (`transferhub_.*?) \|", page, re.M))
    assert set(re.findall(r"`(transferhub_\w+)", rows)) == told


def test_the_dashboard_asks_for_metrics_that_exist(db, prices):
    dashboard = json.loads((DEPLOY / "grafana" / "transferhub.json").read_text("utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    asked = {name for text in expressions for name in re.findall(r"\btransferhub_\w+", text)}
    assert asked and asked - names_told() == set()
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
