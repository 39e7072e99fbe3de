"""POST /transfers: what is taken, what is refused and how that is said."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.models import Department, Switch, Transfer

CALL = {"call_uuid": "call-1", "department": "vendas"}


def fields(response) -> dict[str, str]:
    assert response.status_code == 422
    error = response.json()["error"]
    assert error["code"] == "invalid"
    return error["fields"]


def test_a_request_is_taken_with_202_and_the_transfer(api):
    response = api.post(CALL | {"caller": {"number": "+55 (11) 98765-4321", "name": "João"}, "summary": "quer comprar"})
    assert response.status_code == 202
    body = response.json()
    assert response["Location"] == f"/api/v1/transfers/{body['id']}"
    assert (body["state"], body["final"], body["success"], body["outcome"]) == ("parking", False, False, None)
    assert body["caller_uuid"] == "call-1"
    assert body["department"] == "vendas"
    transfer = Transfer.objects.get(pk=body["id"])
    assert (transfer.caller_number, transfer.caller_name) == ("+5511987654321", "João")
    assert transfer.client.name == "secretary"


def test_the_secretary_may_finish_her_sentence_first(api):
    assert api.post(CALL | {"start_after_ms": 3000}).json()["state"] == "requested"


def test_a_repeated_key_gives_the_same_transfer_with_200(api):
    first = api.post(CALL, **{"Idempotency-Key": "k1"})
    again = api.post(CALL, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Transfer.objects.count() == 1


def test_a_key_used_for_another_body_is_refused(api):
    api.post(CALL, **{"Idempotency-Key": "k1"})
    response = api.post(CALL | {"summary": "outra coisa"}, **{"Idempotency-Key": "k1"})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "idempotency_mismatch"


def test_a_call_that_is_in_a_transfer_is_refused_and_the_transfer_named(api):
    first = api.post(CALL).json()
    response = api.post(CALL)
    assert response.status_code == 409
    assert response.json()["error"] == {
        "code": "already_in_transfer",
        "message": "This call is already in a transfer.",
        "transfer": first["id"],
    }


def test_an_unknown_department_is_404(api):
    response = api.post({"call_uuid": "call-1", "department": "jurídico"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_department")


def test_without_a_connected_switch_it_is_503_with_a_time_to_come_back(api):
    Switch.objects.update(connected=False)
    response = api.post(CALL)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "no_switch_connected")
    assert int(response["Retry-After"]) > 0


def test_a_switch_whose_process_died_counts_as_not_connected(api):
    Switch.objects.update(lease_until="2020-01-01T00:00:00Z")
    assert api.post(CALL).status_code == 503


def test_a_closed_department_is_taken_and_ends_unavailable(api):
    response = api.post({"call_uuid": "call-1", "department": "suporte"})
    assert response.status_code == 202
    body = response.json()
    assert (body["final"], body["outcome"], body["decision"], body["success"]) == (True, "unavailable", None, False)


def test_an_extension_alone_takes_the_default_department(api):
    body = api.post({"call_uuid": "call-1", "destination": "2002"}).json()
    assert (body["department"], body["destination"]) == ("vendas", "2002")


def test_an_extension_and_a_department_may_both_be_given(api):
    Department.objects.filter(slug="suporte").get().opening_hours.all().delete()
    body = api.post({"call_uuid": "call-1", "destination": "2001", "department": "suporte"}).json()
    assert (body["department"], body["destination"]) == ("suporte", "2001")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("call_uuid", {"department": "vendas"}),
        ("call_uuid", {"call_uuid": "a b", "department": "vendas"}),
        ("call_uuid", {"call_uuid": "x\n\nfsctl shutdown", "department": "vendas"}),
        ("call_uuid", {"call_uuid": "a" * 129, "department": "vendas"}),
        ("department", CALL | {"department": "v" * 51}),
        ("destination", CALL | {"destination": "2001 XML"}),
        ("context", CALL | {"context": "x" * 4001}),
        ("summary", CALL | {"summary": "x" * 2001}),
        ("summary", CALL | {"summary": 5}),
        ("caller.name", CALL | {"caller": {"name": "x" * 81}}),
        ("caller.number", CALL | {"caller": {"number": "1" * 33}}),
        ("caller.phone", CALL | {"caller": {"phone": "1"}}),
        ("metadata", CALL | {"metadata": {"x": "y" * 4096}}),
        ("metadata", CALL | {"metadata": {"x": "a\0b"}}),
        ("metadata", CALL | {"metadata": {"x": float("nan")}}),
        ("metadata", CALL | {"metadata": {"x": "\ud800"}}),
        ("metadata", CALL | {"metadata": [1]}),
        ("callback_url", CALL | {"callback_url": "ftp://crm.example.com/"}),
        ("callback_url", CALL | {"callback_url": "https://elsewhere.example.org/"}),
        ("callback_url", CALL | {"callback_url": "https://user:pass@crm.example.com/"}),
        ("start_after_ms", CALL | {"start_after_ms": 10001}),
        ("start_after_ms", CALL | {"start_after_ms": -1}),
        ("switch", CALL | {"switch": "other"}),
        ("departament", CALL | {"departament": "vendas"}),
        ("department", {"call_uuid": "call-1"}),
        ("department", {"call_uuid": "call-1", "department": None, "destination": ""}),
    ],
)
def test_what_is_wrong_is_named_with_its_field(api, settings, field, body):
    settings.WEBHOOK_HOSTS = ["crm.example.com"]
    assert list(fields(api.post(json.dumps(body)))) == [field]
    assert not Transfer.objects.exists()


def test_several_wrong_fields_are_named_together(api):
    wrong = fields(api.post({"call_uuid": "", "department": "vendas", "caller": {"name": "x" * 81}}))
    assert wrong.keys() == {"call_uuid", "caller.name"}
    assert wrong["caller.name"] == "String should have at most 80 characters"


def test_control_characters_never_get_through(api):
    transfer_id = api.post(CALL | {"summary": "um\x00\x1b\r\ndois", "caller": {"name": "Ana\nMaria\t Lima"}}).json()[
        "id"
    ]
    transfer = Transfer.objects.get(pk=transfer_id)
    assert transfer.summary == "um\ndois"
    assert transfer.caller_name == "Ana Maria Lima"


@pytest.mark.parametrize("number", ["anonymous", "Restricted", "", None, "sip:ana@pbx.example"])
def test_a_caller_without_a_number_is_taken_without_one(api, number):
    transfer_id = api.post(CALL | {"caller": {"number": number}}).json()["id"]
    assert Transfer.objects.get(pk=transfer_id).caller_number == ""


def test_a_number_may_come_as_a_sip_address(api):
    transfer_id = api.post(CALL | {"caller": {"number": "sip:+5511999@10.0.0.1"}}).json()["id"]
    assert Transfer.objects.get(pk=transfer_id).caller_number == "+5511999"


@pytest.mark.parametrize("body", ["{", "", "[]", "null", '"text"'])
def test_what_is_not_a_json_object_is_refused_as_json(api, body):
    response = api.post(body)
    assert response.status_code in (400, 422)
    assert response.json()["error"]["message"]


def test_a_body_that_is_far_too_large_is_refused_as_json(api):
    response = api.post(CALL | {"context": "x" * 3_000_000})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize("where", ["summary", "context", "department"])
def test_half_a_surrogate_pair_is_no_text(api, where):
    assert where in fields(api.post(json.dumps(CALL | {where: "a\ud800"})))


def test_an_idempotency_key_is_printable_ascii(api):
    assert list(fields(api.post(CALL, **{"Idempotency-Key": "a b"}))) == ["Idempotency-Key"]
    assert list(fields(api.post(CALL, **{"Idempotency-Key": "k" * 201}))) == ["Idempotency-Key"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TEXTS = ("department", "destination", "context", "summary", "callback_url", "metadata", "switch", "start_after_ms")
BODIES = st.fixed_dictionaries(
    {"call_uuid": st.just("call-1") | JSON},
    optional=dict.fromkeys(TEXTS, JSON)
    | {
        "department": st.just("vendas"),
        "caller": JSON | st.fixed_dictionaries({}, optional={"number": JSON, "name": JSON}),
    },
)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_no_body_makes_it_stumble(api, body):
    Transfer.objects.all().delete()
    response = api.post(json.dumps(body))
    assert response.status_code in (202, 404, 422)
    assert response.json()


@pytest.mark.parametrize("path", ["/transfers/%0A", "/a%0Ab", "/%0d%0a"])
def test_an_address_with_a_line_end_is_answered_as_json_too(api, path):
    answer = api.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("name", ["since", "until"])
def test_an_instant_is_written_out_and_no_number(api, name):
    assert api.get("/transfers", **{name: "0.5"}).status_code == 422
    assert api.get("/transfers", **{name: "2026-11-24T14:00:00-03:00"}).status_code == 200
