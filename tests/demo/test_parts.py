import json

import pytest

from calls.demo import state
from calls.demo.parts import Plan

OURS = ["web", "switch", "worker"]


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A plan for an environment of which nothing but the given variables is set."""

    def make(**environment: str) -> Plan:
        for name in ("REDIS_URL", "FREESWITCH_HOST", "OPENAI_API_KEY", "OMNIPLAY_URL", "AUDIO_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Plan(tmp_path, state.load_secrets(tmp_path), "127.0.0.1", 8000, {"LIMITS_DIVISOR": "5"})

    return make


def names(parts) -> list[str]:
    return [part.name for part in parts]


def test_with_an_empty_environment_everything_is_started(plan):
    made = plan()
    assert names(made.storage) == ["valkey"]
    assert names(made.outside) == ["simulated-switch", "simulated-realtime", "simulated-omniplay"]
    assert names(made.ours) == OURS


@pytest.mark.parametrize(
    ("variable", "value", "missing"),
    [
        ("FREESWITCH_HOST", "10.0.0.9", "simulated-switch"),
        ("OPENAI_API_KEY", "sk-real", "simulated-realtime"),
        ("OMNIPLAY_URL", "https://omniplay.example.com", "simulated-omniplay"),
        ("REDIS_URL", "redis://10.0.0.9/0", "valkey"),
    ],
)
def test_what_the_environment_names_is_not_simulated_and_not_overridden(plan, variable, value, missing):
    made = plan(**{variable: value})
    assert missing not in names([*made.storage, *made.outside])
    assert names(made.ours) == OURS
    assert variable not in made.ours[0].environment  # the children inherit it as it is


def test_only_the_products_own_processes_get_the_extra_environment(plan):
    made = plan()
    assert {part.environment.get("LIMITS_DIVISOR") for part in made.ours} == {"5"}
    assert {part.environment.get("LIMITS_DIVISOR") for part in made.outside} == {None}


def test_freeswitch_is_told_to_bring_the_audio_where_the_web_server_listens(plan):
    assert plan().ours[0].environment["AUDIO_BASE_URL"] == "ws://127.0.0.1:8000"


def test_what_a_killed_run_left_among_the_temporary_files_is_swept_up(plan, tmp_path):
    (tmp_path / "tmp" / "simulated-switch-x").mkdir(parents=True)
    plan()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_static_root_is_an_empty_folder_and_never_the_one_with_the_secrets(plan, tmp_path):
    root = plan().ours[0].environment["STATIC_ROOT"]
    assert root != str(tmp_path) and not list((tmp_path / "static").iterdir())


def test_the_simulated_switch_gets_a_phone_book_with_the_companys_extensions(plan, tmp_path):
    plan()
    assert "2001" in json.loads((tmp_path / "phonebook.json").read_text(encoding="utf-8"))
