"""At a limit new requests are told to come back; what runs goes on."""

import pytest

from calls import services
from calls.errors import AtTheLimit
from calls.models import AudioSession, Transfer
from calls.transfer import events as e
from calls.transfer.states import State
from tests.api.conftest import api, company, key  # noqa: F401
from tests.services import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def switch():
    made = world.connected_switch()
    world.department("vendas", "2001", "2002", "2003")
    return made


def test_at_the_limit_the_api_says_503_and_when_to_come_back_and_what_runs_goes_on(api, settings):  # noqa: F811
    settings.MAX_TRANSFERS = 1
    first = api.post({"call_uuid": "call-1", "department": "vendas"}).json()
    refused = api.post({"call_uuid": "call-2", "department": "vendas"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "at_the_limit")
    assert int(refused["Retry-After"]) > 0
    assert Transfer.objects.count() == 1
    assert services.apply_event(first["id"], e.CallerParked(1)).transfer.state == State.DIALLING
    services.apply_event(first["id"], e.CallerLeft())
    assert api.post({"call_uuid": "call-2", "department": "vendas"}).status_code == 202


def test_a_repeated_key_is_answered_at_the_limit_too(api, settings):  # noqa: F811
    settings.MAX_TRANSFERS = 1
    body, headers = {"call_uuid": "call-1", "department": "vendas"}, {"Idempotency-Key": "k"}
    assert [api.post(body, **headers).status_code for _ in range(2)] == [202, 200]


def test_each_switch_has_a_limit_of_its_own(switch, settings):
    settings.MAX_TRANSFERS_PER_SWITCH = 1
    world.connected_switch("rio")
    world.ask("vendas", switch="main")
    with pytest.raises(AtTheLimit, match="this switch"):
        world.ask("vendas", switch="main")
    assert world.ask("vendas", switch="rio").switch.slug == "rio"


def test_announcers_have_a_limit_because_each_is_a_session_at_openai(switch, settings):
    settings.MAX_REALTIME_SESSIONS = 1
    transfer = world.dialling("vendas")
    with pytest.raises(AtTheLimit, match="Realtime"):
        world.ask("vendas")
    AudioSession.objects.filter(transfer=transfer).update(state=AudioSession.State.CLOSED)
    world.ask("vendas")


def test_web_processes_that_live_hold_so_many_audio_sessions_each(switch, settings):
    settings.MAX_AUDIO_SESSIONS = 1
    services.heartbeat("a", "ws://a", 0)
    world.dialling("vendas")
    with pytest.raises(AtTheLimit, match="audio"):
        world.ask("vendas")
    services.heartbeat("b", "ws://b", 0)
    world.ask("vendas")


def test_a_limit_of_claims_is_kept(switch):
    world.dialling("vendas"), world.dialling("vendas")
    services.heartbeat("a", "ws://a", 0)
    assert len(services.claim_audio("a", 1)) == 1
    assert AudioSession.objects.filter(state=AudioSession.State.OPEN).count() == 1
