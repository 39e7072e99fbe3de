import json

import pytest

from calls.demo import state


def test_secrets_are_made_once_and_private(tmp_path):
    first = state.load_secrets(tmp_path)
    assert state.load_secrets(tmp_path) == first
    assert (tmp_path / state.SECRETS).stat().st_mode & 0o777 == 0o600
    assert len({value for value in first.values() if value}) == len(first) - 1  # api_key comes from the database


def test_a_secret_that_a_later_version_needs_is_added_to_those_kept(tmp_path):
    (tmp_path / state.SECRETS).write_text(json.dumps({"admin_password": "kept"}))
    made = state.load_secrets(tmp_path)
    assert made["admin_password"] == "kept" and made["secret_key"]


def test_what_runs_is_told_to_its_owner_alone_and_forgotten_at_the_end(tmp_path):
    state.write_state(tmp_path, {"url": "http://127.0.0.1:8000"})
    assert (tmp_path / state.STATE).stat().st_mode & 0o777 == 0o600
    assert state.read_state(tmp_path) == {"url": "http://127.0.0.1:8000"}
    state.forget_state(tmp_path)
    with pytest.raises(state.NotRunning, match="make run"):
        state.read_state(tmp_path)


def test_two_demos_never_share_a_folder(tmp_path):
    with state.lock(tmp_path), pytest.raises(state.AlreadyRunning):
        state.lock(tmp_path)
    state.lock(tmp_path).close()
