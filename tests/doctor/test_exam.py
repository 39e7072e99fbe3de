"""Examinations of a simulated FreeSWITCH, fit and unfit, over real sockets."""

import asyncio

import pytest

from calls.doctor.exam import examine
from calls.doctor.findings import Level, worst
from calls.simulator.reports import MODULES
from tests.doctor.conftest import HOME, installation, switch

SOUNDS = {"default": {"rate": "8000", "enter-sound": "tone_stream://%(200,0,500)", "caller-controls": "default"}}

OF_A_BUSY_MACHINE = {"round_trip_slow", "audio_late", "frames_uneven"}
"""What is truly found when the tests share the machine with others."""


async def findings(simulated, **fields) -> dict[str, Level]:
    """Code -> level."""
    return {each.code: each.level for each in await examine(installation(simulated, **fields))}


async def all_gone(simulated) -> None:
    """Legs that were hung up end at their next frame."""
    async with asyncio.timeout(5):
        while simulated.channels:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_fit_switch_has_no_warning(web):
    async with switch() as simulated:
        told = []
        found = await examine(installation(simulated, audio_urls=(web,)), told.append)
        assert [each for each in found if each.level is not Level.OK and each.code not in OF_A_BUSY_MACHINE] == []
        assert told == found
    codes = {each.code for each in found}
    assert codes & {"round_trip", "round_trip_slow"} and codes & {"audio", "audio_late"}
    assert codes >= {"logged_in", "clock", "profile", "destination", "agent_registered", "edition_open", "timers"}
    frames = next(each for each in found if each.code in ("frames", "frames_uneven"))
    assert frames.values["count"] > 30


async def test_the_examination_leaves_nothing_behind(web):
    async with switch() as simulated:
        await examine(installation(simulated, audio_urls=(web,)))
        await all_gone(simulated)
        assert simulated.timers.tasks == {}
        assert list(simulated.tmp_dir.iterdir()) == []


async def test_an_interrupted_examination_leaves_nothing_behind(web):
    async with switch() as simulated:
        examination = asyncio.create_task(examine(installation(simulated, audio_urls=(web,))))
        async with asyncio.timeout(5):
            while not any(channel.stream for channel in simulated.channels.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        examination.cancel()
        with pytest.raises(asyncio.CancelledError):
            await examination
        await all_gone(simulated)
        assert simulated.timers.tasks == {}


async def test_a_doctor_that_is_cut_off_leaves_a_timer_that_hangs_its_leg_up(web):
    async with switch(speed=60) as simulated:
        examination = asyncio.create_task(examine(installation(simulated, audio_urls=(web,))))
        async with asyncio.timeout(5):
            while not simulated.channels:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        simulated.cut_event_sockets()
        assert "connection_lost" in {each.code for each in await examination}
        await all_gone(simulated)


async def test_a_wrong_password_is_said_to_be_one():
    async with switch() as simulated:
        assert await findings(simulated, password="guess") == {"wrong_password": Level.UNFIT}


async def test_an_unreachable_switch_is_said_to_be_one():
    async with switch() as simulated:
        gone = installation(simulated)
    found = await examine(gone)
    assert [each.code for each in found] == ["unreachable"]


async def test_a_missing_module_is_named_and_what_needs_it_is_not_tried(web):
    modules = [name for name in MODULES if name != "mod_audio_stream"]
    async with switch(modules=modules) as simulated:
        found = await examine(installation(simulated, audio_urls=(web,)))
    missing = [each.values["module"] for each in found if each.code == "module_needed"]
    assert missing == ["mod_audio_stream"]
    assert {"audio_not_tried"} == {each.code for each in found if "audio" in each.code}


async def test_sounds_of_the_profile_and_missing_music_are_warnings(web):
    async with switch(profiles=SOUNDS) as simulated:
        found = await findings(simulated, audio_urls=(web,))
    warned = {code for code, level in found.items() if level is Level.WARNING}
    assert warned - OF_A_BUSY_MACHINE == {"heard_enter", "no_music"}


async def test_hold_music_without_its_module_is_a_warning(web):
    async with switch() as simulated:
        found = await findings(simulated, music="local_stream://moh", audio_urls=(web,))
    assert found["music_module"] is Level.WARNING


@pytest.mark.parametrize(
    ("destination", "code", "level"),
    [
        ("nowhere XML public", "destination_nowhere", Level.UNFIT),
        ("ivr_return XML elsewhere", "destination_no_such_context", Level.UNFIT),
        ("ivr_return", "destination_no_context", Level.WARNING),
        ("park: inline", "inline", Level.OK),
        ("dance: inline", "inline_unknown", Level.UNFIT),
    ],
)
async def test_where_callers_return_to_is_looked_up(destination, code, level):
    async with switch() as simulated:
        found = await findings(simulated, destinations={HOME: ["Suporte"], destination: ["Vendas"]})
    assert (found["destination"], found[code]) == (Level.OK, level)


async def test_agents_are_known_registered_or_neither():
    async with switch() as simulated:
        agents = {"2001": "Ana", "2002": "Bruno", "2999": "Carla"}
        found = await examine(installation(simulated, agents=agents))
    about = {each.values["number"]: each.code for each in found if each.code.startswith("agent")}
    assert about == {"2001": "agent_registered", "2002": "agent_not_registered", "2999": "agent_unknown"}


async def test_without_a_domain_nobody_can_be_rung():
    async with switch() as simulated:
        simulated.globals.clear()
        found = await findings(simulated, domain="")
        assert found["no_domain"] is Level.UNFIT
        simulated.globals["domain"] = "lab"
        assert (await findings(simulated, domain=""))["agent_registered"] is Level.OK


async def test_an_audio_address_where_nobody_listens_is_unfit(web):
    async with switch() as simulated:
        found = await examine(installation(simulated, audio_urls=("ws://127.0.0.1:9", web)))
    about = [(each.code, each.values.get("url")) for each in found if each.code.startswith("audio")]
    assert about in [[("audio_unreachable", "ws://127.0.0.1:9"), (code, web)] for code in ("audio", "audio_late")]
    assert worst(found) is Level.UNFIT


async def test_a_web_process_of_another_installation_refuses_the_doctor(web, monkeypatch):
    monkeypatch.setattr("calls.doctor.leg.echo.make_token", lambda: "nonce~1xyz~forged")
    async with switch() as simulated:
        found = await findings(simulated, audio_urls=(web,))
    assert found["audio_somebody_else"] is Level.UNFIT


async def test_without_a_web_process_nobody_would_speak():
    async with switch() as simulated:
        assert (await findings(simulated))["no_web_process"] is Level.UNFIT
