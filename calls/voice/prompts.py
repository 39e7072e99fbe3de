"""What a caller is told when nobody took the call: one clip, spoken once, on his own audio stream.

The voice is settings.PROMPT_VOICE: an espeak-ng voice, the path of a Piper voice file, or "realtime" for a Realtime
session of its own. Made ones are kept on disk under VAR_DIR/prompts by a hash of voice and text, because a
department's text is the same for every caller.
"""

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog
from django.conf import settings

from calls.services import ClaimedAudio, LiveAudio
from calls.transfer.events import PromptFailed
from calls.voice import protocol, script
from calls.voice.clips import duration_ms, stream_audio
from calls.voice.leg import Leg, place_of
from calls.voice.realtime import RealtimeLink, RealtimeLost
from calls.voice.synthesis import SynthesisError, asynthesise

log = structlog.get_logger(__name__)

REALTIME = "realtime"
REALTIME_SECONDS = 8
"""A session must have spoken the whole prompt by then, or it is synthesised offline."""
KEPT_FILES = 300
"""A protocol's prompt is used once: the oldest files go."""


def offline_voice(language: str) -> str:
    """The voice for what has to be spoken without a model, now."""
    chosen = str(settings.PROMPT_VOICE)
    if chosen and chosen != REALTIME and (chosen.endswith(".onnx") or script.language_of(language) == "pt"):
        return chosen
    return "en-us" if script.language_of(language) == "en" else "pt-br"


async def speech(text: str, language: str, realtime_voice: str = "marin", *, may_ask_model: bool = True) -> bytes:
    """`text` as L16 at 24 kHz, from the cache or made now. Raises SynthesisError."""
    wanted = settings.PROMPT_VOICE == REALTIME and may_ask_model
    name = f"{REALTIME} {realtime_voice}" if wanted else offline_voice(language)
    kept = _path(name, text)
    if kept.exists():
        return await asyncio.to_thread(kept.read_bytes)
    pcm = b""
    if wanted:
        try:
            async with asyncio.timeout(REALTIME_SECONDS):
                pcm = await _spoken_by_model(text, language, realtime_voice)
        except (RealtimeLost, TimeoutError) as error:
            log.warning("prompt.offline", reason=getattr(error, "reason", "timeout"))
    made_as_wanted = bool(pcm) or not wanted
    pcm = pcm or await asynthesise(text, voice=offline_voice(language))
    if made_as_wanted:
        await asyncio.to_thread(_keep, kept, pcm)
    return pcm


async def _spoken_by_model(text: str, language: str, voice: str) -> bytes:
    """Said by a session of its own, outside any conversation. Raises RealtimeLost."""
    model = settings.OPENAI_REALTIME_MODEL
    link = RealtimeLink(settings.OPENAI_REALTIME_URL, settings.OPENAI_API_KEY, model)
    pcm = bytearray()
    try:
        await link.connect()
        await link.send(
            protocol.session_update(
                model=model, instructions="", voice=voice, language=language, transcribe="none", tools=False
            )
        )
        await link.send(
            protocol.response_create("prompt", script.say_exactly(text, language), tools=False, out_of_band=True)
        )
        async for event in link.events():
            if isinstance(event, protocol.AudioDelta):
                pcm += event.pcm
            elif isinstance(event, protocol.Refused):
                raise RealtimeLost(f"refused_{event.code}")
            elif isinstance(event, protocol.ResponseDone):
                if event.status != "completed":
                    raise RealtimeLost(f"response_{event.status}")
                break
    finally:
        await link.close()
    return bytes(pcm)


def _path(voice: str, text: str) -> Path:
    name = hashlib.sha256(f"{voice}\0{text}".encode()).hexdigest()
    return Path(settings.VAR_DIR) / "prompts" / f"{name}.l16"


def _keep(path: Path, pcm: bytes) -> None:
    """Written whole or not at all: another process may read it at any moment. A full disk is no reason to fail."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as made:
            made.write(pcm)
        os.replace(made.name, path)
        kept = sorted(path.parent.glob("*.l16"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in kept[KEPT_FILES:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("prompt.not_kept", error=error.strerror)


class Prompt(Leg):
    """The caller's leg: speaks one clip and stays until the switch is done with it (its `stop` deletes the file)."""

    def __init__(self, claimed: ClaimedAudio, url: str, door: ModuleType | Any):
        super().__init__(claimed, url, door)
        self._pcm = b""

    def start(self) -> None:
        self.spawn(self._prepare())

    async def _prepare(self) -> None:
        brief = self.claimed.brief
        text, language = str(brief.get("text", "")), str(brief.get("language", ""))
        try:
            free = self.claimed.realtime is not None  # a trial that is to cost nothing
            self._pcm = await speech(text, language, str(brief.get("voice") or "marin"), may_ask_model=not free)
        except SynthesisError as error:
            self.log.error("prompt.failed", at=place_of(error))
        if not self._pcm:
            await self.door.apply_event(self.claimed.transfer_id, PromptFailed("synthesis_failed"))
            await self.close()
            return
        await self.door.announce_ready(self.claimed.session_id, self.url, duration_ms(self._pcm))
        await self.door.add_utterance(self.claimed.session_id, "prompt", text)

    def attach(self, live: LiveAudio) -> None:
        super().attach(live)
        self.say(stream_audio(self._pcm))
