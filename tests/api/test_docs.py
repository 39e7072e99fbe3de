"""docs/api.md says what the API does."""

import json
import re
from pathlib import Path

from calls.api.app import api
from calls.api.schemas import TransferIn, TransferOut
from calls.webhooks import sign

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def keys(value, path="") -> set[str]:
    """Every key with its path."""
    if isinstance(value, dict):
        return {path + key for key in value} | {k for key in value for k in keys(value[key], f"{path}{key}.")}
    if isinstance(value, list):
        return {k for item in value for k in keys(item, f"{path}[].")}
    return set()


def test_the_example_is_a_transfer_with_all_its_fields():
    example = json.loads(re.search(r"```json transfer\n(.*?)```", TEXT, re.S)[1])
    shown = TransferOut.model_validate(example).model_dump(mode="json")
    assert keys(shown) == keys(example)


def test_every_field_of_a_request_is_explained():
    for field in TransferIn.model_fields:
        assert f"| `{field}` |" in TEXT


def test_every_path_has_an_example():
    paths = {path.removeprefix("/api/v1").replace("{transfer_id}", "$ID") for path in api.get_openapi_schema()["paths"]}
    shown = set(re.findall(r'curl [^\n]*?"?\$HUB([/\w$]*)', TEXT))
    assert shown == paths


def test_the_verification_snippet_verifies():
    snippet = re.search(r"```python\n(.*?)```", TEXT, re.S)[1]
    names: dict = {}
    exec(snippet, names)
    now = int(names["time"].time())
    assert names["genuine"](sign(b"{}", now, "secret"), b"{}", "secret")
    assert not names["genuine"](sign(b"{}", now, "secret"), b"{ }", "secret")
    assert not names["genuine"](sign(b"{}", now - 3600, "secret"), b"{}", "secret")
