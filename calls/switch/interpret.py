"""A switch's event -> what it means for a transfer. Pure but for what it teaches the index.

Most become events of the machine. Clips do not: what mod_audio_stream has made of our audio is played at once, without
the database, and the web process that sent it is told.

What an event is worth: FreeSWITCH tells some things twice (hangup, then del-member), in either order, and after a
reconnect again; each is passed on once. A fork's losers hang up too: only the leg that answered is the agent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from calls.switch.index import Dialling, Followed, Index
from calls.switch.parsing import SwitchEvent, job_result, json_object
from calls.transfer import events as e
from calls.transfer.states import Source

EVENTS = (
    "CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_HANGUP", "CHANNEL_HOLD",
    "CHANNEL_UNHOLD", "BACKGROUND_JOB", "DTMF", "PLAYBACK_START", "PLAYBACK_STOP",
)  # fmt: skip
SUBCLASSES = (
    "conference::maintenance", "mod_audio_stream::play", "mod_audio_stream::disconnect", "mod_audio_stream::error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Apply:
    """Step the machine."""

    transfer_id: Any
    event: e.Event


@dataclass(frozen=True, slots=True)
class PlayClip:
    """`conference NAME play FILE MEMBER`, now."""

    dialling: Dialling
    path: str


@dataclass(frozen=True, slots=True)
class BroadcastClip:
    """`uuid_broadcast A FILE aleg`, now."""

    followed: Followed
    path: str


@dataclass(frozen=True, slots=True)
class TellAudio:
    """A message of the bus to the web process that has this leg's audio. `mark` "" is the caller's leg."""

    transfer_id: Any
    mark: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TellBoard:
    """A message of the bus to the boards: what is seen for a moment only, and never kept."""

    transfer_id: Any
    message: dict[str, Any]


Action = Apply | PlayClip | BroadcastClip | TellAudio | TellBoard
Actions = Iterator[Action]

NORMAL_CLOSURE = 1000  # WebSocket: our own side closed the stream on purpose
KEYS = {"1": e.Choice.ACCEPT, "2": e.Choice.REJECT}


def interpret(event: SwitchEvent, index: Index, now_ms: int) -> list[Action]:
    """What follows, in order. `now_ms`: epoch milliseconds, for notes about playback."""
    handler = _HANDLERS.get(event.name)
    return list(handler(event, index, now_ms)) if handler else []


# ---------------------------------------------------------------- legs
def _leg(event: SwitchEvent, index: Index) -> Dialling | None:
    number = event.get("variable_dialed_user") or event.get("Caller-Destination-Number")
    return index.by_leg(event.uuid, event.get("variable_transferhub_attempt"), number)


def _created(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    _leg(event, index)
    yield from ()


def _progress(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    dialling = _leg(event, index)
    if dialling is not None and not dialling.rang:
        dialling.rang = True
        yield Apply(dialling.transfer.id, e.AgentRinging(dialling.mark, event.uuid))


def _job(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    result = job_result(event)
    dialling = index.by_job(result.job_uuid)
    if dialling is None:
        return
    if result.ok:
        yield from _answered(dialling, index, result.text)
        if result.text in dialling.gone:
            yield from _agent_left(dialling, result.text, dialling.gone[result.text])
    elif not dialling.failed:
        dialling.failed = True
        yield Apply(dialling.transfer.id, e.DialFailed(dialling.mark, result.text))


def _answered(dialling: Dialling, index: Index, uuid: str) -> Actions:
    if dialling.agent != uuid:
        index.answered(dialling, uuid)
        yield Apply(dialling.transfer.id, e.AgentAnswered(dialling.mark, uuid))
        if member := dialling.transfer.strangers.pop(uuid, 0):
            yield from _joined(dialling, uuid, member)


def _hangup(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    cause = event.get("Hangup-Cause")
    followed = index.by_caller(event.uuid)
    if followed is not None:
        yield from _caller_left(followed, cause)
    dialling = _leg(event, index)
    if dialling is not None:
        dialling.gone[event.uuid] = cause
        if dialling.agent == event.uuid:
            yield from _agent_left(dialling, event.uuid, cause)


def _caller_left(followed: Followed, cause: str) -> Actions:
    followed.prompting = False
    if not followed.left:
        followed.left = True
        yield Apply(followed.id, e.CallerLeft(cause))


def _agent_left(dialling: Dialling, uuid: str, cause: str) -> Actions:
    dialling.streaming = False
    if not dialling.left:
        dialling.left = True
        yield Apply(dialling.transfer.id, e.AgentLeft(dialling.mark, uuid, cause))


def _key(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    """Keys of the agent while he decides; those of the caller, and of two who talk, are nobody's business."""
    dialling = index.by_leg(event.uuid)
    if dialling is None or dialling.agent != event.uuid or not (dialling.member and dialling.deciding):
        return
    digit = event.get("DTMF-Digit")
    yield TellAudio(dialling.transfer.id, dialling.mark, {"type": "leg.key", "uuid": event.uuid, "digit": digit})
    number = dialling.keys.press(digit, now_ms)
    if number:
        yield Apply(dialling.transfer.id, e.RedirectRequested(number, Source.KEY, dialling.mark))
    elif number is not None:
        pass  # a digit of an extension, not an answer
    elif digit in KEYS:
        yield Apply(dialling.transfer.id, e.DecisionMade(dialling.mark, KEYS[digit], Source.KEY))
    elif digit == "0":
        yield Apply(dialling.transfer.id, e.RepeatRequested(dialling.mark, Source.KEY))


def _hold(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    dialling = index.by_leg(event.uuid)
    if dialling is None or dialling.agent != event.uuid:
        return
    on = event.name == "CHANNEL_HOLD"
    yield TellAudio(dialling.transfer.id, dialling.mark, {"type": "leg.hold", "uuid": event.uuid, "on": on})
    yield Apply(dialling.transfer.id, (e.AgentHeld if on else e.AgentUnheld)(dialling.mark, event.uuid))
    yield leg_state(dialling.transfer, "agent", "held", on)


# ---------------------------------------------------------------- the conference
def _conference(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    followed = index.by_conference(event.get("Conference-Name"))
    handler = _CONFERENCE.get(event.action)
    if followed is not None and handler is not None:
        yield from handler(event, index, followed, now_ms)


def _added(event: SwitchEvent, index: Index, followed: Followed, now_ms: int) -> Actions:
    member = _number(event.get("Member-ID"))
    if event.uuid == followed.caller:
        if followed.member != member:
            followed.member = member
            yield Apply(followed.id, e.CallerParked(member))
        return
    dialling = index.by_leg(event.uuid)
    if dialling is None:
        followed.strangers[event.uuid] = member  # a supervisor, or an agent whose own events are late
    elif dialling.transfer is followed and dialling.member != member:  # else told twice
        yield from _answered(dialling, index, event.uuid)  # the job's own event may come after this one
        yield from _joined(dialling, event.uuid, member)


def _joined(dialling: Dialling, uuid: str, member: int) -> Actions:
    dialling.member = member
    yield Apply(dialling.transfer.id, e.AgentJoined(dialling.mark, uuid, member, dialling.number_of(uuid)))


def _removed(event: SwitchEvent, index: Index, followed: Followed, now_ms: int) -> Actions:
    cause = event.get("Hangup-Cause")
    if event.uuid == followed.caller:
        was_inside, followed.member = followed.member, 0
        if cause:
            yield from _caller_left(followed, cause)
        elif was_inside:
            followed.prompting = False
            yield Apply(followed.id, e.CallerWentHome())
        return
    dialling = index.by_leg(event.uuid)
    if dialling is not None and dialling.agent == event.uuid:
        yield from _agent_left(dialling, event.uuid, cause)


def _clip(event: SwitchEvent, index: Index, followed: Followed, now_ms: int) -> Actions:
    """A clip was queued for the agent ("start", also when others play before it), or is over."""
    dialling = index.by_leg(event.uuid)
    if dialling is not None:
        what = "done" if event.action.endswith("-done") else "start"
        yield TellAudio(followed.id, dialling.mark, playback(event.uuid, event.get("File"), what, now_ms))


# What a member of the conference does or is, and whether it begins or ends.
LEG_STATES = {
    "start-talking": ("talking", True),
    "stop-talking": ("talking", False),
    "mute-member": ("muted", True),
    "unmute-member": ("muted", False),
    "hold-member": ("held", True),
    "unhold-member": ("held", False),
}


def _state_of_leg(event: SwitchEvent, index: Index, followed: Followed, now_ms: int) -> Actions:
    dialling = index.by_leg(event.uuid)
    if event.uuid == followed.caller:
        yield leg_state(followed, "caller", *LEG_STATES[event.action])
    elif dialling is not None and dialling.transfer is followed and dialling.agent == event.uuid:
        yield leg_state(followed, "agent", *LEG_STATES[event.action])


def leg_state(followed: Followed, leg: str, what: str, on: bool) -> TellBoard:
    transfer_id = getattr(followed.id, "hex", followed.id)
    return TellBoard(followed.id, {"type": "leg.state", "id": transfer_id, "leg": leg, "what": what, "on": on})


_CONFERENCE: dict[str, Callable[[SwitchEvent, Index, Followed, int], Actions]] = {
    "add-member": _added,
    "del-member": _removed,
    "play-file-member": _clip,
    "play-file-member-done": _clip,
    **dict.fromkeys(LEG_STATES, _state_of_leg),
}


# ---------------------------------------------------------------- audio
def playback(uuid: str, path: str, what: str, now_ms: int) -> dict[str, Any]:
    return {"type": "playback", "uuid": uuid, "path": path, "what": what, "at_ms": now_ms}


def _made(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    """mod_audio_stream has written what we sent into a file; nothing is heard until it is played."""
    path = json_object(event.body).get("file")
    if not isinstance(path, str) or not path:
        return
    dialling = index.by_leg(event.uuid)
    if dialling is not None and dialling.streaming and dialling.member:
        yield TellAudio(dialling.transfer.id, dialling.mark, playback(event.uuid, path, "ready", now_ms))
        yield PlayClip(dialling, path)
        return
    followed = index.by_caller(event.uuid)
    if followed is not None and followed.prompting:
        followed.clips[path] = 0
        yield TellAudio(followed.id, "", playback(event.uuid, path, "ready", now_ms))
        yield BroadcastClip(followed, path)


def _stream_lost(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    """Only where we still want the stream; the secretary's own on A ends too when A is taken over."""
    kind = event.name.removeprefix("mod_audio_stream::")
    message = json_object(event.body).get("message")
    code = message.get("code") if isinstance(message, dict) else None
    if kind == "disconnect" and code == NORMAL_CLOSURE:
        return
    reason = f"audio_{kind}_{code if isinstance(code, int) else 'unknown'}"
    dialling = index.by_leg(event.uuid)
    if dialling is not None and dialling.streaming:
        dialling.streaming = False
        yield Apply(dialling.transfer.id, e.AnnouncerLost(dialling.mark, reason))
        return
    followed = index.by_caller(event.uuid)
    if followed is not None and followed.prompting:
        followed.prompting = False
        yield Apply(followed.id, e.PromptFailed(reason))


def _heard(event: SwitchEvent, index: Index, now_ms: int) -> Actions:
    """A prompt to the caller begins or ends.

    That it ended says nothing of how: FreeSWITCH writes "done" also when he was torn away. So the time is measured.
    """
    followed = index.by_caller(event.uuid)
    path = event.get("Playback-File-Path")
    if followed is None:
        return
    if followed.prompting and path not in followed.clips and f"/{followed.caller}_" in path:
        followed.clips[path] = 0  # ordered before this process began to listen
    if path not in followed.clips:
        return
    if event.name == "PLAYBACK_START":
        followed.clips[path] = event.micros
        yield TellAudio(followed.id, "", playback(event.uuid, path, "start", now_ms))
        return
    began = followed.clips.pop(path)
    followed.heard_ms += max(0, event.micros - began) // 1000 if began else 0
    yield TellAudio(followed.id, "", playback(event.uuid, path, "done", now_ms))
    if not followed.clips:
        heard, followed.heard_ms = followed.heard_ms, 0
        yield Apply(followed.id, e.CallerTold(heard))


_HANDLERS: dict[str, Callable[[SwitchEvent, Index, int], Actions]] = {
    "CHANNEL_CREATE": _created,
    "CHANNEL_PROGRESS": _progress,
    "CHANNEL_PROGRESS_MEDIA": _progress,
    "CHANNEL_HANGUP": _hangup,
    "CHANNEL_HOLD": _hold,
    "CHANNEL_UNHOLD": _hold,
    "BACKGROUND_JOB": _job,
    "DTMF": _key,
    "PLAYBACK_START": _heard,
    "PLAYBACK_STOP": _heard,
    "conference::maintenance": _conference,
    "mod_audio_stream::play": _made,
    "mod_audio_stream::disconnect": _stream_lost,
    "mod_audio_stream::error": _stream_lost,
}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
