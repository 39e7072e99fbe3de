"""The model proposes, these rules dispose: what the agent said, as far as it counts.

A tool call of the announcer is evidence, not a decision. It counts only if the response that holds it was completed and
the agent was heard answering between the beginning of the announcement and that response. Everything doubtful is
`Unclear`, which costs one more question; a wrong yes would put a caller through to somebody who did not agree.

All times are milliseconds of the agent's own audio, counted from the first frame of his leg. Source of the tool-call
rules: response.function_call_arguments.done is also sent for interrupted responses, so only response.done is read.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from calls.transfer.events import Choice, DecisionMade, Event, RedirectRequested
from calls.transfer.states import Source

ACCEPT, REJECT, VOICEMAIL = "accept_transfer", "reject_transfer", "voicemail_detected"
REDIRECT = "transfer_to_extension"
TOOLS = frozenset({ACCEPT, REJECT, VOICEMAIL, REDIRECT})

GREETING_MS = 700
"""An "alô?" is shorter than this ..."""
GREETING_WINDOW_MS = 1500
"""... and begins this soon: before the announcement, or in its first moments."""
SHORTEST_WORD_MS = 120
"""Anything shorter is a click or a knock."""
LONG_SPEECH_MS = 4000
"""Nobody answers a yes-or-no question for longer without a pause; an answering machine does."""
PAUSE_MS = 600
"""A pause shorter than this does not interrupt a speech (machines breathe between sentences)."""
MODEL_SILENCE_MS = 500
"""The Realtime session's silence_duration_ms: so long after its end it tells of a speech's end."""
REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the agent's speech."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Hearing:
    """What our own ears heard of the agent. `announced_at_ms` None: the announcement has not been audible yet."""

    announced_at_ms: int | None = None
    spans: tuple[Span, ...] = ()
    transcript: str = ""  # of the agent's last turn, "" where unknown; transcripts may come late or never


@dataclass(frozen=True, slots=True)
class ToolCall:
    call_id: str
    name: str
    arguments: str = "{}"  # JSON, as the model wrote it: may be anything


@dataclass(frozen=True, slots=True)
class Response:
    """A finished response: its status, its tool calls, and when it was asked for."""

    status: str
    calls: tuple[ToolCall, ...] = ()
    asked_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Accept:
    rule: str = "agent_agreed"


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str = ""
    rule: str = "agent_declined"


@dataclass(frozen=True, slots=True)
class Voicemail:
    rule: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """He named another extension; whether there is one of that number is not known here."""

    number: str
    rule: str = "agent_named_another"


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing is decided. `rule` names why; "" : the response decided nothing and claimed nothing."""

    rule: str = ""


Verdict = Accept | Reject | Voicemail | Redirect | Unclear


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words of greetings and of questions about who is calling. A turn that consists of nothing else is no answer.
_GREETING_WORDS = _words(
    "alo oi ola opa pronto fala falando falar ai diga bom boa dia tarde noite pois-nao senhor senhora por favor "
    "quem e esta gostaria deseja que de onde do da se trata isso essa ligacao como o "
    "hello hi good morning afternoon who is it this calling speaking please"
)
_ASKING = _words("quem deseja gostaria onde who")
_SAID_BEFORE_ASKING = _words("sim certo ok okay yes")  # "sim, quem gostaria?"
_NO = _words("nao nunca negativo no not can't cannot")
_YES = _words("sim pode claro aceito atendo manda passa passe transfere transfira beleza ok yes sure okay")


def dispose(response: Response, hearing: Hearing, already_answered: Collection[str] = ()) -> Verdict:
    """What a finished response decides. `already_answered`: call_ids that were disposed of before."""
    calls = [call for call in _once(response.calls, already_answered) if call.name in TOOLS]
    if not calls:
        return Unclear()
    if response.status != "completed":
        return Unclear("response_not_completed")
    if len({call.name for call in calls}) > 1:
        return Unclear("contradictory_calls")
    if hearing.announced_at_ms is None:
        return Unclear("nothing_announced")
    if not heard_speech(hearing, response.asked_at_ms):
        return Unclear("agent_has_not_spoken")
    name = calls[0].name
    if longest_speech_ms(hearing.spans) > LONG_SPEECH_MS:
        return Voicemail("long_speech")
    if name == VOICEMAIL:
        return Voicemail("machine_recognised")
    if not has_answered(hearing, response.asked_at_ms):
        return Unclear("only_a_greeting")
    if name == REJECT:
        return Reject(reason_of(calls))
    if name == REDIRECT:
        return _redirected(calls, hearing.transcript)
    return _accepted(hearing.transcript)


def event_of(verdict: Verdict, attempt: str) -> Event | None:
    """What the transfer is told; None where nothing is decided."""
    match verdict:
        case Accept():
            return DecisionMade(attempt, Choice.ACCEPT, Source.VOICE)
        case Reject():
            return DecisionMade(attempt, Choice.REJECT, Source.VOICE, verdict.reason)
        case Voicemail():
            return DecisionMade(attempt, Choice.VOICEMAIL, Source.VOICE)
        case Redirect():
            return RedirectRequested(verdict.number, Source.VOICE, attempt)
    return None


def _redirected(calls: Iterable[ToolCall], transcript: str) -> Verdict:
    numbers = {re.sub(r"[\s.-]", "", _argument(call, "number") or "") for call in calls}
    number = numbers.pop()
    if numbers or not re.fullmatch(r"[0-9]{1,12}", number):
        return Unclear("no_extension_named")
    if _is_greeting(_said_words(transcript)):
        return Unclear("a_question_is_no_answer")
    return Redirect(number)


def _accepted(transcript: str) -> Verdict:
    words = _said_words(transcript)
    if _is_greeting(words):
        return Unclear("a_question_is_no_answer")
    if not _NO.isdisjoint(words) and _YES.isdisjoint(words):
        return Unclear("transcript_says_no")
    return Accept()


def _said_words(transcript: str) -> list[str]:
    return re.findall(r"[\w'-]+", normalised(transcript).replace("pois nao", "pois-nao"))


def _is_greeting(words: list[str]) -> bool:
    """Words were heard, and none that answers anything."""
    asked = not _ASKING.isdisjoint(words)
    return bool(words) and (_GREETING_WORDS | (_SAID_BEFORE_ASKING if asked else frozenset())).issuperset(words)


_NOTHING = Unclear()


def by_sound_alone(uninterrupted_ms: int, *, beeped: bool = False) -> Verdict:
    """What can be said without any model: a long uninterrupted speech is a machine, and so is a beep after speech."""
    if beeped:
        return Voicemail("beep")
    return Voicemail("long_speech") if uninterrupted_ms > LONG_SPEECH_MS else _NOTHING


def is_greeting(span: Span, announced_at_ms: int | None) -> bool:
    """An "alô?" at the beginning: it neither answers nor interrupts."""
    soon = announced_at_ms is None or span.start_ms < announced_at_ms + GREETING_WINDOW_MS
    return soon and span.length_ms < GREETING_MS


def interrupts(span: Span | None, announced_at_ms: int | None) -> bool:
    """Whether speech that goes on silences us. `span` is what our own ears hear of it: the model's alone may have heard
    a noise, or our own voice come back."""
    return span is not None and not is_greeting(span, announced_at_ms)


def heard_speech(hearing: Hearing, before_ms: int) -> bool:
    """The agent said anything at all between the beginning of the announcement and `before_ms`."""
    return bool(_said(hearing, before_ms))


def has_answered(hearing: Hearing, before_ms: int) -> bool:
    """As heard_speech(), and it was more than a greeting."""
    return any(not is_greeting(span, hearing.announced_at_ms) for span in _said(hearing, before_ms))


def _said(hearing: Hearing, before_ms: int) -> list[Span]:
    began = hearing.announced_at_ms
    words = [span for span in hearing.spans if span.length_ms >= SHORTEST_WORD_MS]
    return [span for span in words if began is not None and span.end_ms > began and span.start_ms < before_ms]


def longest_speech_ms(spans: Iterable[Span]) -> int:
    """The longest speech, pauses below PAUSE_MS included."""
    longest = start = 0
    end: int | None = None
    for span in sorted(spans, key=lambda each: each.start_ms):
        if end is None or span.start_ms - end >= PAUSE_MS:
            start = span.start_ms
        end = max(end or 0, span.end_ms)
        longest = max(longest, end - start)
    return longest


def reason_of(calls: Iterable[ToolCall]) -> str:
    """The first usable reason, at most 300 characters, on one line; "" when the arguments make no sense."""
    for call in calls:
        reason = _argument(call, "reason")
        if reason is not None and reason.strip():
            printable = "".join(c if c.isprintable() else " " for c in reason[: 4 * REASON_LENGTH])
            return " ".join(printable.split())[:REASON_LENGTH]
    return ""


def _argument(call: ToolCall, name: str) -> str | None:
    try:
        value = json.loads(call.arguments)[name]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def normalised(text: str) -> str:
    """Lower case, without accents, blanks collapsed."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _once(calls: Iterable[ToolCall], already: Collection[str]) -> list[ToolCall]:
    seen = set(already)
    fresh = []
    for call in calls:
        if call.call_id not in seen:
            seen.add(call.call_id)
            fresh.append(call)
    return fresh
