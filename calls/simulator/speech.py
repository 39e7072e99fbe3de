"""Spoken sentences of the simulated people, as sounds of the telephone line."""

import logging
from collections import OrderedDict

import numpy as np

from calls.simulator.sound import Sound
from calls.voice.synthesis import SynthesisError, asynthesise

log = logging.getLogger(__name__)

KEPT = 200
"""Sentences kept: every phrase in every voice is about half of that."""
_kept: OrderedDict[tuple[str, str], Sound] = OrderedDict()


async def spoken(text: str, voice: str) -> Sound:
    """`text` in an espeak-ng voice at 8 kHz; silence when no speech engine works (said once in the log)."""
    key = (text, voice)
    sound = _kept.get(key)
    if sound is None:
        try:
            pcm = await asynthesise(text, voice=voice, rate=8000)
        except SynthesisError:
            log.exception("a simulated person stays silent")
            pcm = b""
        sound = _kept[key] = Sound(np.frombuffer(pcm, "<i2"), "speech")
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return sound
