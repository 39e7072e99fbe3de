"""The product's own web application for the bench: everything of calls.voice as it is, on a door without a database.

After SIGUSR1, BENCH_SESSIONS sessions wait to be claimed; their tokens are call-0, call-1 … The door answers as
calls.voice.door does and keeps nothing, because what is measured is the audio path.
"""

import os
import signal

from transferhub.asgi import Application  # isort: skip  # sets Django up

from calls.services import ClaimedAudio, LiveAudio
from calls.services.transfers import Applied
from calls.transfer.states import Verdict
from calls.voice.hub import Hub

PROCESS_ID = "bench"
URL = f"ws://127.0.0.1:{os.environ['BENCH_PORT']}"


def claimed(number: int) -> ClaimedAudio:
    name = f"call-{number}"
    brief = {
        "kind": "announcement",
        "department": "Vendas",
        "agent_name": f"João {name}",
        "caller_name": "Maria",
        "caller_number_spoken": "",
        "summary": f"Quer um orçamento, {name}.",
        "context": "",
        "voice": "marin",
        "language": "pt-BR",
        "decision_seconds": 15,
        "announcement_text": "Olá, João. Maria quer um orçamento. Você pode atender agora?",
    }
    return ClaimedAudio(number, "agent", name, name, "main", "mark", brief, name)


class Door:
    """calls.voice.door, in memory."""

    def __init__(self) -> None:
        self._waiting: list[ClaimedAudio] = []
        signal.signal(signal.SIGUSR1, self.open)

    def open(self, *_) -> None:
        """The telephones ring. Until then the process is idle, and its memory can be measured."""
        self._waiting = [claimed(number) for number in range(int(os.environ["BENCH_SESSIONS"]))]

    async def claim_audio(self, process_id, limit, waited):
        taken, self._waiting = self._waiting, []
        return taken

    async def audio_connected(self, process_id, token):
        number = int(token.removeprefix("call-"))
        return LiveAudio(number, "agent", token, agent_uuid=f"agent-{number}", caller_uuid=f"caller-{number}")

    async def apply_event(self, transfer_id, event):
        return Applied(Verdict.MOVED, None)

    async def no_longer_needed(self, session_ids):
        return set()

    async def nothing(self, *_, **__):
        return None

    add_utterance = announce_ready = close_audio = heartbeat = reopen_dead_audio = leave = is_audio_unclaimed = nothing


def make_hub() -> Hub:
    hub = Hub(Door(), URL)
    hub.process_id = PROCESS_ID  # known to the load, which is also the switch
    return hub


application = Application(make_hub)
