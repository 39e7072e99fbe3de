"""What a well-behaved announcer answers to what it understood of the agent, from what its session tells it to say.

Pure. The words come from the client: text in guillemets «…» in the instructions is said exactly, lines such as
`Cliente: [[[ Maria ]]]` are what it knows; the tools are the client's too, and one that the session does not offer is
never called.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from calls.simulator.phrases import Meaning
from calls.simulator.recogniser import Heard

ASK = "O senhor pode atender?"
UNASKED = "Bom dia. Tenho uma ligação para o senhor. " + ASK
STILL_THERE = "Alô? Ainda está aí? " + ASK
WAITING = "Claro, eu espero."
NO_TOOL = "Certo, obrigado."
AFTER_TOOL = {
    "accept_transfer": "Perfeito, vou passar a ligação.",
    "reject_transfer": "Tudo bem, obrigado. Até logo.",
}
PREAMBLE = {
    "accept_transfer": "Certo, só um instante.",
    "reject_transfer": "Entendi.",
}

_DATA = re.compile(r"^([^:\n]+): \[\[\[ (.*) \]\]\]$", re.MULTILINE)
_UNKNOWN = "não informado"
_QUOTED = re.compile(r"«([^«»]+)»")


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """What the model knows when it has to answer."""

    instructions: str
    """The session's: the brief."""
    wanted: str | None = None
    """Instructions of this one response, if it has its own."""
    heard: Heard | None = None
    """What the agent said last, if that is what is being answered."""
    idle: bool = False
    """The agent has been silent for the session's idle timeout."""
    tools: Sequence[str] = ()
    must_call: str | None = None
    """The tool that tool_choice demands."""
    after_tool: str | None = None
    """Name of the tool whose output the client has just given."""
    told: str | None = None
    """What a system item that came last tells the model to say."""
    announced: str | None = None
    """The first thing said exactly as asked in this session: the announcement."""
    cut_short: bool = False
    """What the model said last was truncated: the agent has not heard all of it."""
    preamble: bool = False
    """Says a few words before a tool call."""


def quoted(text: str | None) -> str | None:
    """The first text in guillemets."""
    found = _QUOTED.search(text or "")
    return found[1].strip() or None if found else None


def who_it_is(instructions: str) -> str | None:
    """One sentence about the caller from the data in the brief, and the question again."""
    data = {label.strip(): value for label, value in _DATA.findall(instructions) if value != _UNKNOWN}
    if "Cliente" not in data:
        return None
    about = data.get("Resumo do pedido", "").rstrip(".")
    return " ".join(filter(None, [f"É {data['Cliente']}.", about and f"{about}.", ASK]))


def passed_on(told: str) -> str:
    """The sentence that a note such as "Recado: [[[ diga que é urgente ]]]" asks for: "É urgente." """
    marked = re.search(r"\[\[\[ (.*) \]\]\]", told)
    words = re.sub(r"^diga (?:a ele |ao atendente )?que ", "", marked[1] if marked else told, flags=re.IGNORECASE)
    return words[:1].upper() + words[1:].rstrip(".") + "."


def answer(turn: Turn) -> list[Say | Call]:
    exact = quoted(turn.wanted)
    if turn.must_call:
        return [Call(turn.must_call)]
    if exact:
        return [Say(exact)]
    announcement = turn.announced or quoted(turn.instructions) or UNASKED
    if turn.told:
        return [Say(f"{passed_on(turn.told)} {ASK}")]
    if turn.after_tool:
        return [Say(AFTER_TOOL.get(turn.after_tool, NO_TOOL))]
    if turn.idle:
        return [Say(STILL_THERE)]
    if turn.heard is None:
        return [Say(announcement)]
    return _react(turn, turn.heard, announcement)


def _react(turn: Turn, heard: Heard, announcement: str) -> list[Say | Call]:
    match heard.meaning:
        case Meaning.ACCEPT:
            return _call(turn, Call("accept_transfer"))
        case Meaning.EXTENSION if "transfer_to_extension" in turn.tools:
            return _call(turn, Call("transfer_to_extension", {"number": heard.extension or ""}))
        case Meaning.REJECT | Meaning.EXTENSION:
            return _call(turn, Call("reject_transfer", {"reason": heard.reason or "não pode atender"}))
        case Meaning.VOICEMAIL:
            return _call(turn, Call("voicemail_detected"))
        case Meaning.WHO:
            return [Say(who_it_is(turn.instructions) or quoted(turn.instructions) or announcement)]
        case Meaning.REPEAT:
            return [Say(announcement)]
        case Meaning.WAIT:
            return [Say(WAITING)]
        case _:
            return [Say(ASK if turn.announced and not turn.cut_short else announcement)]


def _call(turn: Turn, call: Call) -> list[Say | Call]:
    if call.name not in turn.tools:
        return [Say(NO_TOOL)]
    if turn.preamble and call.name in PREAMBLE:
        return [Say(PREAMBLE[call.name]), call]
    return [call]
