"""What was measured of one audio stream -> findings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from calls.doctor.findings import Finding, ok, unfit, warning
from calls.doctor.judge import FRAME_MS, percentile

LATE_MS = 100

REFUSED, NO_ANSWER = 6, 10  # codes of mod_audio_stream::error


@dataclass
class Measured:
    """Milliseconds as the Event Socket's end saw them. `report` is the web process's own, see echo.Ear."""

    url: str
    ordered: bool = False  # uuid_audio_stream … start was +OK
    connect_ms: float | None = None
    error: dict[str, Any] | None = None  # of mod_audio_stream::error
    first_frame_ms: float | None = None
    echoes_ms: list[float] = field(default_factory=list)
    report: dict[str, Any] | None = None
    clip: dict[str, Any] | None = None  # of mod_audio_stream::play


def judge(measured: Measured, rate: int, reply_ms: float) -> list[Finding]:
    """`reply_ms`: the Event Socket's own round trip, which every echo contains once."""
    url = measured.url
    if measured.connect_ms is None:
        return [_not_connected(measured)]
    if measured.first_frame_ms is None or not measured.report:
        return [unfit("audio_silent", url=url)]
    findings = [_delay(measured, reply_ms), *_frames(measured.report, url, rate), _edition(measured.clip, url)]
    return [finding for finding in findings if finding]


def _not_connected(measured: Measured) -> Finding:
    url, error = measured.url, measured.error or {}
    if not measured.ordered:
        return unfit("audio_refused_order", url=url)
    text = str(error.get("error", ""))[:120]
    if error.get("code") == REFUSED and "upgrade" in text.lower():
        return unfit("audio_somebody_else", url=url, error=text)
    if error.get("code") == NO_ANSWER or not error:
        return unfit("audio_no_answer", url=url, error=text or "—")
    return unfit("audio_unreachable", url=url, error=text)


def _delay(measured: Measured, reply_ms: float) -> Finding:
    echoes: Sequence[float] = [max(0.0, each - reply_ms) for each in measured.echoes_ms]
    p50, most = percentile(echoes, 0.5), max(echoes, default=0.0)
    values = {"url": measured.url, "first": round(measured.first_frame_ms or 0), "p50": round(p50, 1)}
    if not echoes:
        return unfit("audio_no_echo", url=measured.url)
    late = p50 > LATE_MS or (measured.first_frame_ms or 0) > 10 * LATE_MS
    return (warning if late else ok)("audio_late" if late else "audio", **values, most=round(most, 1))


def _frames(report: dict[str, Any], url: str, rate: int) -> list[Finding]:
    size = rate // 1000 * FRAME_MS * 2
    if report.get("bytes") != size:
        return [unfit("audio_frame_size", url=url, bytes=report.get("bytes"), wanted=size, rate=rate)]
    p99, most = report.get("gap_p99_ms", 0.0), report.get("gap_max_ms", 0.0)
    make = warning if p99 > LATE_MS else ok
    return [make("frames_uneven" if make is warning else "frames", url=url, count=report["frames"], p99=p99, most=most)]


def _edition(clip: dict[str, Any] | None, url: str) -> Finding:
    """The open edition writes a file and names it; the closed one plays on the leg by itself (its documentation)."""
    if clip is None:
        return unfit("clip_lost", url=url)
    return ok("edition_open") if clip.get("file") else unfit("edition_closed")
