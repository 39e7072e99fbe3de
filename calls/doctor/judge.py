"""Answers -> findings. Pure; each function judges one thing. Thresholds are here, with their units."""

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from calls.doctor import dialplan, replies
from calls.doctor.dialplan import Leads
from calls.doctor.findings import Finding, ok, unfit, warning

SLOW_REPLY_MS = 50  # p99; putting two people through takes eight commands
CLOCK_SECONDS = 2.0
FEW_SESSIONS = 20  # legs still possible
LOUD_ENERGY = 1000  # of 20000: who speaks softly is cut off from here on
FRAME_MS = 20

NEEDED = ("mod_conference", "mod_audio_stream", "mod_sndfile", "mod_dptools", "mod_commands", "mod_event_socket")
WANTED = ("mod_sofia", "mod_dialplan_xml", "mod_tone_stream", "mod_loopback")
MODULE_OF_STREAM = {"local_stream": "mod_local_stream", "tone_stream": "mod_tone_stream", "shout": "mod_shout"}

HEARD = {
    "enter-sound": "heard_enter",
    "exit-sound": "heard_exit",
    "alone-sound": "heard_alone",
    "kicked-sound": "heard_kicked",
    "muted-sound": "heard_muted",
    "unmuted-sound": "heard_unmuted",
    "perpetual-sound": "heard_perpetual",
}
"""Sounds of a profile that somebody of a transfer would hear -> code of the finding."""


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which this share of them lies; 0.0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def round_trip(milliseconds: Sequence[float]) -> Finding:
    p50, p99 = percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)
    make = warning if p99 > SLOW_REPLY_MS else ok
    return make("round_trip_slow" if make is warning else "round_trip", p50=round(p50, 1), p99=round(p99, 1))


def clock(ahead_seconds: float) -> Finding:
    """How far the switch's clock is ahead of ours; negative: behind."""
    seconds = round(ahead_seconds, 2)
    if abs(ahead_seconds) > CLOCK_SECONDS:
        return warning("clock_differs", seconds=seconds)
    return ok("clock", milliseconds=round(ahead_seconds * 1000))


def version(reply: str) -> Finding:
    found = replies.version(reply)
    if not found:
        return warning("version_unknown")
    old = _numbers(found) < (1, 10)
    return (warning if old else ok)("version_old" if old else "version", version=found)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("-")[0].split(".")[:2] if part.isdigit())


def sessions(status: str) -> Finding:
    found = replies.sessions(status)
    if found is None:
        return warning("sessions_unknown")
    free = found.limit - found.now
    make = unfit if free < 2 else warning if free < FEW_SESSIONS else ok
    code = "sessions" if make is ok else "sessions_few"
    return make(code, now=found.now, limit=found.limit, free=free)


def modules(present: dict[str, bool]) -> list[Finding]:
    """`present`: module -> loaded."""
    found = [unfit("module_needed", module=name) for name in NEEDED if not present[name]]
    found += [warning("module_wanted", module=name) for name in WANTED if not present[name]]
    loaded = sorted(name for name, is_there in present.items() if is_there)
    return [ok("modules", modules=", ".join(loaded)), *found] if loaded else found


def module_of(stream: str) -> str:
    """The module that plays it, "" for a file."""
    return MODULE_OF_STREAM.get(stream.partition("://")[0], "") if "://" in stream else ""


def music(path: str, loaded: bool) -> list[Finding]:
    """What callers on hold are played; `loaded` says whether its module is."""
    if not path or loaded:
        return []
    return [warning("music_module", music=path, module=module_of(path))]


def profile(configuration: str, name: str) -> list[Finding]:
    """`configuration`: the reply to `xml_locate configuration configuration name conference.conf`."""
    if replies.xml(configuration) is None:
        return [unfit("conference_unreadable")]
    params = replies.profile(configuration, name)
    if params is None:
        return [unfit("profile_missing", profile=name)]
    found = [warning(code, profile=name, sound=params[param]) for param, code in HEARD.items() if params.get(param)]
    found += _profile_numbers(params, name)
    if not params.get("moh-sound"):
        found.append(warning("no_music", profile=name))
    if params.get("pin"):
        found.append(unfit("profile_pin", profile=name))
    if "wait-mod" in params.get("conference-flags", ""):
        found.append(warning("profile_waits", profile=name))
    bad = sorted({"mute", "deaf", "mute-detect"} & set(params.get("member-flags", "").replace("|", ",").split(",")))
    if bad:
        found.append(unfit("profile_member_flags", profile=name, flags=", ".join(bad)))
    if params.get("auto-record"):
        found.append(warning("profile_records", profile=name))
    rate = params.get("rate", "8000")
    music_, controls = params.get("moh-sound") or "—", params.get("caller-controls") or "default"
    return [ok("profile", profile=name, rate=rate, music=music_, controls=controls), *found]


def _profile_numbers(params: dict[str, str], name: str) -> list[Finding]:
    found = []
    if (interval := params.get("interval", "20")) != str(FRAME_MS):
        found.append(warning("profile_interval", profile=name, interval=interval))
    energy = replies.number(params.get("energy-level", "0"))
    if energy is not None and energy > LOUD_ENERGY:
        found.append(warning("profile_energy", profile=name, energy=energy))
    most = replies.number(params.get("max-members", "0"))
    if most and most < 3:
        make = unfit if most < 2 else warning
        found.append(make("profile_members", profile=name, most=most))
    return found


def destination(text: str, departments: Sequence[str], context: ElementTree.Element | None) -> Finding:
    """A place in the dialplan; `context` is that of its name, None when the switch has none of that name."""
    wanted, of = dialplan.parse(text), ", ".join(departments)
    if not wanted.context:
        return warning("destination_no_context", destination=text, departments=of)
    if context is None:
        return unfit("destination_no_such_context", destination=text, departments=of, context=wanted.context)
    found = dialplan.hunt(context, wanted.number)
    if found.leads is Leads.NOWHERE:
        return unfit("destination_nowhere", destination=text, departments=of, context=wanted.context)
    if found.leads is Leads.PERHAPS:
        depends = ", ".join(found.depends_on)
        return warning(
            "destination_perhaps", destination=text, departments=of, extension=found.extension, depends=depends
        )
    return ok("destination", destination=text, departments=of, extension=found.extension)


def inline_destination(text: str, departments: Sequence[str], known: frozenset[str]) -> Finding:
    """Applications without a dialplan; `known` are the switch's, empty when it did not say."""
    wanted, of = dialplan.parse(text).applications, ", ".join(departments)
    unknown = [name for name in wanted if name not in known] if known else []
    if unknown or not wanted:
        return unfit("inline_unknown", destination=text, departments=of, applications=", ".join(unknown) or "—")
    return ok("inline", destination=text, departments=of, applications=", ".join(wanted))


def domain(configured: str, of_the_switch: str) -> list[Finding]:
    """Agents are dialled as user/NUMBER, which needs a domain from somewhere."""
    if configured or (of_the_switch and not of_the_switch.startswith("-")):
        return []
    return [unfit("no_domain")]


def agent(number: str, name: str, exists: bool, dial_string: str, contact: str) -> Finding:
    """`contact`: the reply to sofia_contact, asked only where the dial string asks it."""
    who = {"number": number, "name": name}
    if not exists:
        return unfit("agent_unknown", **who)
    if not dial_string or dial_string.startswith("-ERR"):
        return unfit("agent_no_dial_string", **who)
    if "sofia_contact" in dial_string:
        count = replies.telephones(contact)
        return ok("agent_registered", **who, telephones=count) if count else warning("agent_not_registered", **who)
    if "_contact" in dial_string or "${" in dial_string:
        return warning("agent_cannot_tell", **who)
    return ok("agent_fixed", **who)


def timers(added: str, deleted: str) -> Finding:
    """Of a sched_api of our own, and of its sched_del."""
    if added.startswith("+OK") and deleted.startswith("+OK Deleted: 1"):
        return ok("timers")
    return unfit("timers_broken", reply=(added if not added.startswith("+OK") else deleted)[:100])


def conferences(listed: str, count: int) -> Finding:
    """The answer to `conference json_list`: a list, in which every conference of ours is looked up after a restart."""
    if not listed.lstrip().startswith("["):
        return unfit("conferences_unreadable", reply=listed[:100])
    return ok("conferences", count=count)
