"""Commands of the machine -> the exact text FreeSWITCH is sent. Pure, and the last gate: every value is checked here.

Nothing a caller, an agent, an administrator or an API client wrote reaches a command unless it passes a pattern of
`calls.validators` or of safe.py; what does not, raises WordingError and nothing is sent. Free text (a summary) is
only ever the last argument of uuid_setvar, after safe.clean_text().

Why the commands are these and no others was measured on a real FreeSWITCH (tests/recordings): the inline dialplan
splits at commas (so m:^: and flags joined by |), members are addressed by uuid= (a bare uuid goes through atoi),
`hup` in this conference and not uuid_transfer takes A home (it cannot hit him twice, or elsewhere), and what stands
behind the conference in A's dialplan is his way home whoever lets him go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calls.switch import safe
from calls.switch.safe import WordingError
from calls.transfer import commands as c

GRACE_SECONDS = 5  # from A's leaving to B's hangup: time for one short sentence to B
LONGEST_COMMAND = 4000


class OnError:
    """What follows when a line is not answered as it should be."""

    ABORT = "abort"  # the rest is not sent; the command has failed at this line
    IGNORE = "ignore"  # expected now and then; the rest is sent
    NOTE = "note"  # the rest is sent, and the result remembers it


@dataclass(frozen=True, slots=True)
class Line:
    """One Event Socket command, without its verb ("api", or "bgapi" where there is a job_uuid).

    `good`: beginnings of an answer that means success. `otherwise`: lines sent instead when it was not good; its own
    answer counts then.
    """

    step: str  # for logs and results: "hook", "transfer"
    text: str
    on_error: str = OnError.ABORT
    good: tuple[str, ...] = ("+OK",)
    otherwise: tuple["Line", ...] = ()
    job_uuid: str = ""

    def __post_init__(self) -> None:
        if not self.text or len(self.text) > LONGEST_COMMAND or not self.text.isprintable():
            raise WordingError(f"{self.step}: not one line of printable text")


Script = tuple[Line, ...]

TrialLeg = Callable[[str], str]
"""Extension number -> inline dialplan of a loopback leg that is dialled in its place: nobody's telephone rings.

For the certificate only. It is given to the switch process by the program that starts it; no setting, no row and no
request can name one.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a command's words need besides the command."""

    short_id: str  # the transfer's, for the names of its timers
    audio_rate: int = 24000  # Hz of the audio stream
    hold_music: str = "local_stream://moh"  # where the command names none
    caller_member: int = 0  # in the conference; 0: not known
    prompt_playing: bool = False  # a broadcast to A is under way: it must be cut, or he leaves only at its end
    trial_leg: "TrialLeg | None" = None


def script(command: c.SwitchCommand, setting: Setting) -> Script:
    """The lines of a command, in order. Raises WordingError for a value that must not be sent."""
    word = _WORDS.get(type(command))
    if word is None:
        raise WordingError(f"{type(command).__name__}: no such command")
    return word(command, setting)


# ---------------------------------------------------------------- clips: not commands of the machine, but as strict
def play_to_member(conference: str, path: str, member: int) -> Line:
    """A clip to one member only: the agent."""
    return Line(
        "play", f"conference {safe.name(conference)} play {safe.path(path)} {safe.member(member)}", OnError.NOTE
    )


def stop_clips(conference: str, member: int) -> Line:
    return Line("clips", f"conference {safe.name(conference)} stop all {safe.member(member)}", OnError.IGNORE)


def broadcast(caller: str, path: str) -> Line:
    """A clip to the caller, heard also muted or on hold."""
    return Line("broadcast", f"uuid_broadcast {safe.uuid(caller)} {safe.path(path)} aleg", OnError.NOTE)


def cut_broadcast(caller: str) -> Line:
    """Only while one plays: otherwise the break would wait for the next thing A listens to."""
    return Line("break", f"uuid_break {safe.uuid(caller)} all", OnError.IGNORE)


def drop_net(short_id: str, stage: str) -> Line:
    return Line("disarm", f"sched_del th_{safe.mark(short_id)}_{safe.stage(stage)}", OnError.IGNORE)


def out(conference: str, caller: str) -> Line:
    """Out of this conference and no other, by the way home that stands behind it."""
    return Line("out", f"conference {safe.name(conference)} hup uuid={safe.uuid(caller)}", OnError.IGNORE)


def kill(leg: str) -> Line:
    return Line("kill", f"uuid_kill {safe.uuid(leg)}", OnError.IGNORE)


def exists(uuid: str) -> Line:
    return Line("exists", f"uuid_exists {safe.uuid(uuid)}", good=("true",))


def variable(uuid: str, name: str) -> Line:
    return Line("variable", f"uuid_getvar {safe.uuid(uuid)} {safe.variable(name)}", good=("",))


# ---------------------------------------------------------------- one function a command
def _park(command: c.Park, setting: Setting) -> Script:
    a, home = safe.uuid(command.caller), safe.destination(command.return_to)
    conference, profile = safe.name(command.conference), safe.name(command.profile)
    out = f"conference {conference} hup uuid={a}"
    bond = Line("bond", f"uuid_getvar {a} signal_bond", good=("_undef_",))
    if command.allow_bridged:  # his partner is hung up by the transfer; only that A exists is asked
        bond = Line("bond", f"uuid_exists {a}", good=("true",))
    chain = "^".join(
        (
            "m:",
            # FreeSWITCH itself stops the secretary's stream and arms the net in the moment it takes A over: before it,
            # nothing has happened to him; after it, whoever dies, he gets out.
            ":set:transferhub_quiet=${uuid_audio_stream(${uuid} stop)}",
            f"set:transferhub_net=${{sched_api(+{safe.seconds(command.net_seconds)} {_timer(setting, 'park')} {out})}}",
            "set:conference_controls=none",
            f"set:conference_endconference_grace_time={GRACE_SECONDS}",
            f"conference:{conference}@{profile}+flags{{mute|moderator|mandatory_member_endconf}}",
            "unset:conference_controls",
            "unset:conference_endconference_grace_time",
            "set:transferhub_stop=${uuid_audio_stream(${uuid} stop)}",
            "transfer:${transferhub_return}",
        )
    )
    return (
        bond,
        # Set by the chain behind the conference: as long as it is not there, A has not been sent home. Before
        # transferhub_id, so that the two together never tell of an earlier transfer of the same call.
        Line("variables", f"uuid_setvar {a} transferhub_stop"),
        *_variables(a, command.variables),
        Line("return", f"uuid_setvar {a} transferhub_return {home}"),
        Line("transfer", f"uuid_transfer {a} '{chain}' inline"),
    )


def _arm_net(command: c.ArmNet, setting: Setting) -> Script:
    net = f"conference {safe.name(command.conference)} hup uuid={safe.uuid(command.caller)}"
    return (
        Line("net", f"sched_api +{safe.seconds(command.seconds)} {_timer(setting, command.stage)} {net}"),
        *_disarm(command.disarm, setting),
    )


def _dial(command: c.Dial, setting: Setting) -> Script:
    variables = [f"transferhub_attempt={safe.mark(command.attempt)}"]
    if command.caller_number:
        number = safe.extension(command.caller_number)
        variables += [f"origination_caller_id_number={number}", f"origination_caller_id_name={number}"]
    variables += [f"originate_timeout={safe.seconds(command.ring_seconds)}", "ignore_early_media=true"]
    at = f"@{safe.name(command.domain)}" if command.domain else ""
    if not command.numbers:
        raise WordingError("numbers: nobody to dial")
    legs = ",".join(_leg(safe.extension(number), at, setting) for number in command.numbers)
    conference, profile = safe.name(command.conference), safe.name(command.profile)
    inline = f"'m:^:set:conference_controls=none^conference:{conference}@{profile}+flags{{join-only}}' inline"
    return (
        Line("originate", f"originate {{{','.join(variables)}}}{legs} {inline}", job_uuid=safe.job(command.job_uuid)),
    )


def _leg(number: str, at: str, setting: Setting) -> str:
    if setting.trial_leg is None:
        return f"user/{number}{at}"
    return f"loopback/{safe.trial_leg(setting.trial_leg(number))}/default/inline"


def _cancel_dial(command: c.CancelDial, setting: Setting) -> Script:
    return (Line("cancel", f"hupall ORIGINATOR_CANCEL transferhub_attempt {safe.mark(command.attempt)}", OnError.NOTE),)


def _start_stream(command: c.StartStream, setting: Setting) -> Script:
    leg = safe.uuid(command.uuid)
    rate = {8000: "8k", 16000: "16k"}.get(setting.audio_rate) or str(safe.seconds(setting.audio_rate))
    if setting.audio_rate % 8000:
        raise WordingError("audio_rate: no multiple of 8000")
    stop = Line("stop", f"uuid_audio_stream {leg} stop", OnError.IGNORE)
    start = f"uuid_audio_stream {leg} start {safe.url(command.url)} mono {rate}"
    # A leg that streams already refuses a second start; a stream whose socket was lost counts as one.
    silence = _silence(safe.name(command.conference), command.member) if command.conference else []
    again = (*silence, stop, Line("start", start))
    return again if command.restart else (Line("start", start, otherwise=again),)


def _hold(command: c.HoldCaller, setting: Setting) -> Script:
    music = safe.music(command.music or setting.hold_music)
    member = f"conference {safe.name(command.conference)} hold uuid={safe.uuid(command.caller)}"
    return (Line("hold", f"{member} {music}", OnError.NOTE),)


def _put_through(command: c.PutThrough, setting: Setting) -> Script:
    a, b, conference = safe.uuid(command.caller), safe.uuid(command.agent), safe.name(command.conference)
    lines = [Line("hook", f"uuid_setvar {b} api_hangup_hook conference {conference} hup uuid={a}")]
    if command.after_call_to:
        lines.append(Line("return", f"uuid_setvar {a} transferhub_return {safe.destination(command.after_call_to)}"))
    # The nets go last: whoever dies before, the caller is not left muted beside an agent who waits.
    return (
        *lines,
        *_silence(conference, command.agent_member),
        Line("unhold", f"conference {conference} unhold uuid={a}", OnError.IGNORE),
        Line("unmute", f"conference {conference} unmute uuid={a}"),
        *_variables(a, command.variables, OnError.IGNORE),
        *_disarm(command.disarm, setting),
        Line("stream", f"uuid_audio_stream {b} stop", OnError.IGNORE),
    )


def _let_go(command: c.LetGo, setting: Setting) -> Script:
    b, conference = safe.uuid(command.agent), safe.name(command.conference)
    kill = Line("kill", f"uuid_kill {b}")
    return (
        *_silence(conference, command.agent_member),
        Line("stream", f"uuid_audio_stream {b} stop", OnError.IGNORE),
        Line("hup", f"conference {conference} hup uuid={b}", otherwise=(kill,)),
    )


def _send_home(command: c.SendHome, setting: Setting) -> Script:
    """`hup` lets him go his way home. Who is not in the conference is not in our care: on his way already, or with the
    secretary still. To transfer him on top of that would make him enter the menu twice; the one who comes in only now
    (20 ms after Park) is sent home again by the machine, or else by his first net."""
    a, home = safe.uuid(command.caller), safe.destination(command.return_to)
    # The end of the script, whatever the answer: who comes in only now needs his net.
    exists = Line("exists", f"uuid_exists {a}", good=())
    return (
        *_variables(a, command.variables, OnError.IGNORE),
        Line("return", f"uuid_setvar {a} transferhub_return {home}", OnError.IGNORE),
        *((cut_broadcast(a),) if setting.prompt_playing else ()),
        Line("hup", f"conference {safe.name(command.conference)} hup uuid={a}", otherwise=(exists,)),
        *_disarm(command.disarm, setting),
    )


# ---------------------------------------------------------------- supervisors
def _dial_supervisor(command: c.DialSupervisor, setting: Setting) -> Script:
    limit = safe.seconds(command.ring_seconds)
    variables = f"transferhub_supervision={safe.mark(command.attempt)},originate_timeout={limit}"
    at = f"@{safe.name(command.domain)}" if command.domain else ""
    room = f"{safe.name(command.conference)}@{safe.name(command.profile)}+flags{{mute|join-only}}"
    leg = f"user/{safe.extension(command.number)}{at} 'm:^:set:conference_controls=none^conference:{room}' inline"
    return (
        Line(
            "originate", f"originate {{{variables},ignore_early_media=true}}{leg}", job_uuid=safe.job(command.job_uuid)
        ),
    )


def _set_supervision(command: c.SetSupervision, setting: Setting) -> Script:
    """Nobody is ever heard by the caller in between: he is made deaf first, or the supervisor dumb."""
    room, s = f"conference {safe.name(command.conference)}", f"uuid={safe.uuid(command.supervisor)}"
    pair = f"{room} relate {safe.member(setting.caller_member)} {safe.member(command.member)}"
    clear = Line("relate", f"{pair} clear", OnError.IGNORE)  # -ERR where there is no relation
    words = {
        "listen": (Line("mute", f"{room} mute {s}"), clear),
        "whisper": (Line("relate", f"{pair} nohear"), Line("unmute", f"{room} unmute {s}")),
        "join": (clear, Line("unmute", f"{room} unmute {s}")),
    }
    if command.mode not in words:
        raise WordingError("mode")
    return words[command.mode]


def _let_supervisor_go(command: c.LetSupervisorGo, setting: Setting) -> Script:
    cancel = Line("cancel", f"hupall ORIGINATOR_CANCEL transferhub_supervision {safe.mark(command.attempt)}")
    if not command.supervisor:
        return (cancel,)
    s = safe.uuid(command.supervisor)
    return (Line("hup", f"conference {safe.name(command.conference)} hup uuid={s}", otherwise=(cancel,)),)


_WORDS: dict[type, Callable[[Any, Setting], Script]] = {
    c.Park: _park,
    c.ArmNet: _arm_net,
    c.Dial: _dial,
    c.CancelDial: _cancel_dial,
    c.StartStream: _start_stream,
    c.HoldCaller: _hold,
    c.PutThrough: _put_through,
    c.LetGo: _let_go,
    c.SendHome: _send_home,
    c.DialSupervisor: _dial_supervisor,
    c.SetSupervision: _set_supervision,
    c.LetSupervisorGo: _let_supervisor_go,
}


# ---------------------------------------------------------------- parts
def _variables(leg: str, variables: dict[str, str], on_error: str = OnError.ABORT) -> list[Line]:
    lines = []
    for name, value in variables.items():
        text = f"uuid_setvar {leg} {safe.variable(name)} {safe.clean_text(value)}"
        lines.append(Line("variables", text.rstrip(" "), on_error))  # no value: unset
    return lines


def _disarm(stages: tuple[str, ...], setting: Setting) -> list[Line]:
    return [drop_net(setting.short_id, stage) for stage in stages]


def _silence(conference: str, member: int) -> list[Line]:
    return [stop_clips(conference, member)] if member else []


def _timer(setting: Setting, stage: str) -> str:
    return f"th_{safe.mark(setting.short_id)}_{safe.stage(stage)}"
