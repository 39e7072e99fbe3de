"""The commands as a person types them, where they need no running demo."""

import socket
import subprocess
import sys

import pytest


@pytest.fixture
def manage(tmp_path, request):
    """Runs manage.py in an empty var folder; the finished process."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        from os import environ

        own = {"DJANGO_SETTINGS_MODULE": "transferhub.settings", "TRANSFERHUB_VAR_DIR": str(tmp_path / "var")}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=request.config.rootpath,
            env=environ | own | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_a_busy_port_is_said_in_words(manage):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = manage("demo", "--port", str(port))
    assert ended.returncode == 1
    assert f"Port {port} is in use by another program" in ended.stderr
    assert f"PORT={port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_none_is_said_in_words(manage):
    ended = manage("demo", "--port", "70000")
    assert ended.returncode == 1 and "70000 is not a port" in ended.stderr


def test_sim_call_without_a_demo_says_how_to_start_one(manage):
    ended = manage("sim_call", "--department", "vendas", "--agent", "accepts")
    assert ended.returncode == 1 and "make run" in ended.stderr


def test_make_alone_lists_its_words(request):
    listed = subprocess.run(["make"], cwd=request.config.rootpath, capture_output=True, text=True, check=True).stdout
    for word in ("run", "test", "lint", "format", "soak", "clean"):
        assert f"make {word} " in listed
