"""The API, asked by schemathesis what its OpenAPI document allows, and what it does not; a real server, with a key."""

import os
import subprocess
import sys

import pytest

from tests.api.conftest import address, company, key

pytestmark = pytest.mark.fuzz
__all__ = ["address", "company", "key"]

SECONDS = int(os.environ.get("FUZZ_API_SECONDS", "120"))
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,missing_required_header,ignored_auth"
)


def test_no_request_makes_it_stumble_and_every_answer_is_the_documented_one(address, key, tmp_path, settings):
    settings.API_REQUESTS_PER_MINUTE = settings.API_FAILURES_PER_MINUTE = 0
    settings.ALLOWED_HOSTS = ["*"]
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", f"{address}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {key}", "--checks", CHECKS, "--max-time", str(SECONDS),
        "--request-timeout", "10", "--continue-on-failure", "--max-failures", "20",
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 120)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
