"""A supervisor's telephone in the conversation: its wording, what its events mean, and who hears whom on a switch."""

import pytest
from asgiref.sync import sync_to_async

from calls import services
from calls.models import Extension, Supervision, SupervisorTelephone
from calls.switch.safe import WordingError
from calls.switch.supervisors import Supervised, Supervisors
from calls.switch.wording import Setting, script
from calls.transfer import commands as c
from calls.transfer.states import State
from tests.factories import make_user
from tests.switch import recordings
from tests.switch.test_interpret import event, job, member
from tests.switch.test_wording import ROOM, S, sent

DIAL = c.DialSupervisor("s1", "j1", "2009", "lab", "room", "default", 25)


def words(mode, caller=279):
    return [
        line.text for line in script(c.SetSupervision("s1", S, 281, ROOM, mode), Setting("x", caller_member=caller))
    ]


def test_a_whisper_is_worded_as_it_was_recorded():
    recorded = [text for text in sent("supervisor_joins") if "relate" in text or "unmute uuid=7a95" in text]
    room = recorded[0].split()[1]
    assert [text.replace(ROOM, room) for text in words("whisper")] == recorded[:2]
    assert words("join")[0].replace(ROOM, room) == recorded[2]


def test_the_caller_is_deaf_to_him_before_he_can_speak_and_he_is_dumb_before_the_caller_can_hear_him():
    assert ["nohear" in words("whisper")[0], "unmute" in words("whisper")[1]] == [True, True]
    assert ["mute" in words("listen")[0], "clear" in words("listen")[1]] == [True, True]


def test_a_supervisor_is_rung_muted_and_never_alone_and_never_ends_the_conference():
    (line,) = script(c.DialSupervisor("s1", "j1", "2009", "lab", ROOM, "default", 25), Setting("x"))
    assert "+flags{mute|join-only}" in line.text and "endconf" not in line.text
    assert line.text.startswith("originate {transferhub_supervision=s1,originate_timeout=25,")


def test_who_is_still_rung_is_cancelled_by_his_mark_and_who_is_inside_goes_out_alone():
    assert script(c.LetSupervisorGo("s1", "", ROOM), Setting("x"))[0].text.startswith("hupall ORIGINATOR_CANCEL")
    assert script(c.LetSupervisorGo("s1", S, ROOM), Setting("x"))[0].text == f"conference {ROOM} hup uuid={S}"


@pytest.mark.parametrize(
    "command",
    [
        c.DialSupervisor("s1", "j1", "2009,user/1", "lab", ROOM, "default", 25),
        c.DialSupervisor("s1}", "j1", "2009", "lab", ROOM, "default", 25),
        c.SetSupervision("s1", S, 281, ROOM, "endconf"),
        c.SetSupervision("s1", "all", 0, ROOM, "join"),
        c.LetSupervisorGo("s1", "x y", ROOM),
    ],
)
def test_nothing_else_reaches_the_switch(command):
    with pytest.raises(WordingError):
        script(command, Setting("x", caller_member=1))


def test_without_knowing_the_callers_member_nobody_whispers():
    with pytest.raises(WordingError):
        words("whisper", caller=0)


# ---------------------------------------------------------------- events
@pytest.fixture
def supervisors():
    made = Supervisors()
    made.learn("t", DIAL)
    return made


def happened(supervisors, *events):
    return [(each.what, each.cause) for one in events for each in supervisors.interpret(one)]


def test_he_has_joined_when_the_conference_says_so_once(supervisors):
    assert supervisors.interpret(job("+OK s-leg\n")) == []
    joined = member("add-member", "s-leg")
    (told,) = supervisors.interpret(joined)
    assert told == Supervised("t", "s1", "joined", "s-leg", told.member) and told.member
    assert supervisors.interpret(joined) == []


def test_a_telephone_that_was_not_answered_is_told_with_its_cause(supervisors):
    assert happened(supervisors, job("-ERR NO_ANSWER\n"), job("-ERR NO_ANSWER\n")) == [("failed", "NO_ANSWER")]


def test_of_two_telephones_only_the_one_that_answered_can_leave(supervisors):
    ringing = [event("CHANNEL_CREATE", uuid, variable_transferhub_supervision="s1") for uuid in ("one", "other")]
    lost = event("CHANNEL_HANGUP", "other", Hangup_Cause="LOSE_RACE")
    assert happened(supervisors, *ringing, job("+OK one\n"), lost, member("add-member", "one")) == [("joined", "")]
    left = event("CHANNEL_HANGUP", "one", Hangup_Cause="NORMAL_CLEARING")
    assert happened(supervisors, left, left, member("del-member", "one")) == [("left", "NORMAL_CLEARING")]


def test_who_answers_and_is_gone_before_the_conference_has_him_has_left(supervisors):
    gone = event("CHANNEL_HANGUP", "s-leg", Hangup_Cause="NORMAL_CLEARING")
    assert happened(supervisors, job("+OK s-leg\n"), gone) == [("left", "NORMAL_CLEARING")]


def test_after_a_reconnect_his_leaving_is_understood():
    again = Supervisors()
    again.learn("t", DIAL)
    again.learn("t", c.SetSupervision("s1", "s-leg", 281, "room", "join"))
    assert happened(again, event("CHANNEL_HANGUP", "s-leg", Hangup_Cause="X")) == [("left", "X")]
    again.forget("t")
    assert happened(again, event("CHANNEL_HANGUP", "s-leg", Hangup_Cause="X")) == []


def test_strangers_are_nobodys_supervisors(supervisors):
    for name in recordings.NAMES:
        assert [each for one in recordings.events(name) for each in supervisors.interpret(one)] == []


# ---------------------------------------------------------------- on a switch
class Conversation:
    """Caller and agent talk, both with a steady tone; rita's own telephone is a tone too."""

    def __init__(self, world, transfer, caller, agent, rita):
        self.world, self.transfer, self.caller, self.agent, self.rita = world, transfer, caller, agent, rita

    async def supervise(self, mode):
        acted = await sync_to_async(services.supervise)(self.rita, self.transfer.pk, mode)
        assert acted.done, acted.refusal

    async def row(self):
        return await sync_to_async(Supervision.objects.filter(transfer=self.transfer).order_by("-id").first)()

    async def inside(self, mode):
        async def there():
            row = await self.row()
            orders = await self.world.commands(self.transfer, "SetSupervision")
            settled = orders and orders[-1].state == "done" and orders[-1].arguments["mode"] == mode
            return row if row.state == "inside" and row.mode == mode and settled else None

        return await self.world.until(there)

    async def hear(self, uuid, other, seconds=0.3):
        """Until a leg has heard so much more of another."""
        ledger = self.world.lab.media.ledger
        before = ledger.seconds_heard(uuid, other)
        await self.world.until(lambda: ledger.seconds_heard(uuid, other) - before >= seconds)

    async def hears_nothing_of(self, uuid, other, while_):
        """`uuid` hears nothing of `other` while `while_` hears a good deal of him, or of somebody."""
        ledger = self.world.lab.media.ledger
        before = ledger.seconds_heard(uuid, other)
        await self.hear(*while_)
        assert ledger.seconds_heard(uuid, other) == before


@pytest.fixture
async def talk(world):
    from tests.switch.test_runner import press

    world.lab.directory.extra["2009"] = [{}]
    await world.start()
    caller = await world.caller()
    transfer = await world.ask(await world.department("2001"), caller)
    await world.announcing(transfer)
    agent = await press(world, transfer, "1")
    await world.reaches(transfer, State.CONNECTED)
    yield Conversation(world, transfer, caller, agent, await sync_to_async(_rita)())


def _rita():
    rita = make_user("rita", "calls.view_transfer", "calls.listen", "calls.whisper", "calls.join")
    extension = Extension.objects.create(number="2009", name="Rita")
    SupervisorTelephone.objects.create(user=rita, extension=extension)
    return rita


async def test_a_whisper_is_heard_by_the_agent_and_not_by_the_caller(talk):
    await talk.supervise("whisper")
    row = await talk.inside("whisper")
    await talk.hears_nothing_of(talk.caller, row.uuid, while_=(talk.agent, row.uuid))


async def test_who_listens_is_heard_by_nobody_then_whispers_then_joins_then_listens_again(talk):
    await talk.supervise("listen")
    row = await talk.inside("listen")
    await talk.hears_nothing_of(talk.agent, row.uuid, while_=(row.uuid, talk.agent))
    await talk.supervise("whisper")
    await talk.inside("whisper")
    await talk.hears_nothing_of(talk.caller, row.uuid, while_=(talk.agent, row.uuid))
    await talk.supervise("join")
    await talk.inside("join")
    await talk.hear(talk.caller, row.uuid)
    await talk.supervise("listen")
    await talk.inside("listen")
    await talk.hears_nothing_of(talk.caller, row.uuid, while_=(row.uuid, talk.agent))


async def test_he_goes_when_he_wants_and_the_two_talk_on(talk):
    await talk.supervise("join")
    row = await talk.inside("join")
    await sync_to_async(services.leave_call)(talk.rita, talk.transfer.pk)
    await talk.world.until(lambda: talk.world.leg(row.uuid) is None)
    assert talk.world.inside(talk.transfer) == {talk.caller, talk.agent}
    assert (await talk.world.transfer(talk.transfer)).state == State.CONNECTED
    assert (await talk.row()).ended_at


async def test_he_hangs_up_and_that_is_written_down(talk):
    await talk.supervise("listen")
    row = await talk.inside("listen")
    await talk.world.api(f"uuid_kill {row.uuid}")

    async def over():
        return (await talk.row()).state == "over"

    await talk.world.until(over)


async def test_when_the_agent_leaves_the_supervisor_is_let_go_and_the_caller_is_home(talk):
    await talk.supervise("join")
    row = await talk.inside("join")
    await talk.world.api(f"uuid_kill {talk.agent}")
    await talk.world.until(lambda: talk.world.leg(row.uuid) is None)
    await talk.world.until(lambda: talk.world.in_the_menu(talk.caller))
    assert (await talk.row()).state == "over"


async def test_a_telephone_that_is_busy_leaves_a_note(talk):
    talk.world.lab.directory.extra["2009"] = [{"refuses": "USER_BUSY"}]
    await talk.supervise("join")

    async def over():
        row = await talk.row()
        return row.note if row.state == "over" else None

    assert await talk.world.until(over) == "USER_BUSY"
