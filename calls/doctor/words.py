"""What each finding means and what to do about it, in the reader's language."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from calls.doctor.findings import Finding, Level

LEVELS = {Level.OK: _("ok"), Level.WARNING: _("warning"), Level.UNFIT: _("unfit")}
SIGNS = {Level.OK: "●", Level.WARNING: "△", Level.UNFIT: "■"}
PROMISE = _(
    "The doctor changes nothing on the switch but a test leg of its own, which rings nobody and is hung up again."
)
SUMMARIES = {
    Level.OK: _("Fit for transfers."),
    Level.WARNING: _("Fit for transfers, with warnings."),
    Level.UNFIT: _("Not fit for transfers."),
}


@dataclass(frozen=True)
class Words:
    meaning: str
    advice: str = ""


def explain(finding: Finding) -> Words:
    """Both texts with the values filled in, in the active language."""
    meaning, advice = WORDS.get(finding.code, (_("Unknown finding: %(code)s"), ""))
    values = {"code": finding.code, **finding.values}
    if purpose := PURPOSES.get(values.get("module", "")):
        values["purpose"] = str(purpose)
    return Words(str(meaning) % values, str(advice) % values)


PURPOSES = {
    "mod_conference": _("caller and agent meet in a conference"),
    "mod_audio_stream": _("it carries the agent's voice to us and our announcements to him"),
    "mod_sndfile": _("it plays the announcements"),
    "mod_dptools": _("it holds the applications we use: set, transfer, park"),
    "mod_commands": _("it holds the commands we use: originate, uuid_transfer, sched_api"),
    "mod_event_socket": _("it is how we talk to FreeSWITCH"),
    "mod_sofia": _("it reaches the agents' telephones (SIP)"),
    "mod_dialplan_xml": _("callers return to the dialplan through it"),
    "mod_tone_stream": _("music and tones made of tone_stream:// need it"),
    "mod_loopback": _("test legs need it: without it the audio cannot be tried"),
}

_HEARD = _("Remove it from the profile, or use a profile of your own for transfers.")
_AUDIO_ADVICE = _("Check AUDIO_BASE_URL, firewall and proxy from the FreeSWITCH machine: it must reach this address.")

WORDS = {
    # the switch itself
    "unreachable": (
        _("The Event Socket at %(host)s:%(port)s cannot be reached (%(reason)s)."),
        _(
            "Is FreeSWITCH running? Check listen-ip, listen-port and apply-inbound-acl in event_socket.conf.xml, "
            "and the firewall."
        ),
    ),
    "wrong_password": (
        _("The Event Socket refused the password."),
        _("Write the password of event_socket.conf.xml into %(variable)s (or a file named by %(variable)s_FILE)."),
    ),
    "no_password": (
        _("There is no password for the Event Socket: %(variable)s is not set."),
        _("Write the password of event_socket.conf.xml into %(variable)s (or a file named by %(variable)s_FILE)."),
    ),
    "connection_lost": (
        _("The connection ended during the examination (%(reason)s)."),
        _("Look into FreeSWITCH's log, and examine again."),
    ),
    "logged_in": (_("Event Socket at %(host)s:%(port)s: reached, password accepted."), ""),
    "version": (_("FreeSWITCH %(version)s."), ""),
    "version_old": (
        _("FreeSWITCH %(version)s is older than 1.10."),
        _("Update FreeSWITCH: older ones were never tried."),
    ),
    "version_unknown": (_("FreeSWITCH does not say its version."), _("Try fs_cli -x version.")),
    "round_trip": (_("A command is answered in %(p50)s ms (p99: %(p99)s ms)."), ""),
    "round_trip_slow": (
        _("Commands are answered slowly: %(p50)s ms, p99 %(p99)s ms."),
        _("The switch process belongs near FreeSWITCH: same machine or same network, no tunnel between them."),
    ),
    "clock": (_("The clocks agree (difference: %(milliseconds)s ms)."), ""),
    "clock_differs": (
        _("The switch's clock differs from ours by %(seconds)s s."),
        _("Let both machines keep time by NTP; else logs and reports cannot be compared."),
    ),
    "clock_unknown": (_("FreeSWITCH does not tell its time."), _("Try fs_cli -x strmicroepoch.")),
    "sessions": (_("%(now)s of %(limit)s sessions in use."), ""),
    "sessions_few": (
        _("Only %(free)s of %(limit)s sessions are free."),
        _("Raise max-sessions in switch.conf.xml: every transfer needs two."),
    ),
    "sessions_unknown": (_("FreeSWITCH does not say how many sessions it may have."), _("Try fs_cli -x status.")),
    "timers": (_("Timers work: FreeSWITCH brings callers home by itself if we cannot."), ""),
    "timers_broken": (
        _("Timers (sched_api, sched_del) do not work: %(reply)s"),
        _("Without them nobody brings callers home when we fail. Is mod_commands the one of this FreeSWITCH?"),
    ),
    # modules
    "modules": (_("Loaded: %(modules)s."), ""),
    "module_needed": (
        _("%(module)s is not loaded: %(purpose)s."),
        _("Install it, load it in modules.conf.xml, and try fs_cli -x 'load %(module)s'."),
    ),
    "module_wanted": (
        _("%(module)s is not loaded: %(purpose)s."),
        _("Load it in modules.conf.xml unless you know that you do without."),
    ),
    "music_module": (
        _("Callers on hold are to hear %(music)s, but %(module)s is not loaded: they would hear nothing."),
        _("Load it, or choose another hold music at the telephone switch in the admin."),
    ),
    "edition_open": (
        _("mod_audio_stream works the way of the open edition: it writes clips to files, we play them."),
        "",
    ),
    "edition_closed": (
        _("mod_audio_stream named no file for a clip, as the closed edition does: announcements would not be played."),
        _("Install the open edition of mod_audio_stream."),
    ),
    # the conference
    "conferences": (_("Conferences can be listed (%(count)s now)."), ""),
    "conferences_unreadable": (
        _("Conferences cannot be listed: %(reply)s"),
        _("After a restart of ours running transfers could not be found again. Is mod_conference loaded?"),
    ),
    "conference_unreadable": (
        _("conference.conf cannot be read."),
        _(
            "Is there a conference.conf.xml? Try fs_cli -x 'xml_locate configuration configuration name "
            "conference.conf'."
        ),
    ),
    "profile_missing": (
        _("There is no conference profile %(profile)s."),
        _(
            "Add it to conference.conf.xml and reload (reloadxml), or name another one at the telephone "
            "switch in the admin."
        ),
    ),
    "profile": (
        _(
            "Conference profile %(profile)s: %(rate)s Hz, music %(music)s, keys %(controls)s (switched off "
            "in our calls)."
        ),
        "",
    ),
    "heard_enter": (
        _("Profile %(profile)s has an enter-sound (%(sound)s): callers and agents hear it when they come in."),
        _HEARD,
    ),
    "heard_exit": (
        _("Profile %(profile)s has an exit-sound (%(sound)s): the caller hears it whenever an agent leaves."),
        _HEARD,
    ),
    "heard_alone": (
        _("Profile %(profile)s has an alone-sound (%(sound)s): the caller hears it while telephones ring."),
        _HEARD,
    ),
    "heard_kicked": (
        _("Profile %(profile)s has a kicked-sound (%(sound)s): who is kicked hears it before he goes on."),
        _HEARD,
    ),
    "heard_muted": (
        _("Profile %(profile)s has a muted-sound (%(sound)s): it is heard in the middle of an announcement."),
        _HEARD,
    ),
    "heard_unmuted": (
        _("Profile %(profile)s has an unmuted-sound (%(sound)s): the caller hears it when he is put through."),
        _HEARD,
    ),
    "heard_perpetual": (_("Profile %(profile)s has a perpetual-sound (%(sound)s): it plays over every talk."), _HEARD),
    "no_music": (
        _("Profile %(profile)s has no moh-sound: callers hear silence while telephones ring."),
        _("Set moh-sound in the profile, for example local_stream://moh."),
    ),
    "profile_pin": (
        _("Profile %(profile)s asks for a PIN: callers would be asked to type it."),
        _("Remove pin from the profile."),
    ),
    "profile_waits": (
        _("Profile %(profile)s waits for a moderator (wait-mod)."),
        _("Remove wait-mod from conference-flags."),
    ),
    "profile_member_flags": (
        _("Profile %(profile)s makes every member %(flags)s: people would not hear each other."),
        _("Remove these from member-flags."),
    ),
    "profile_records": (
        _("Profile %(profile)s records every conference (auto-record)."),
        _("Keep it only if callers and agents are told so."),
    ),
    "profile_interval": (
        _("Profile %(profile)s mixes every %(interval)s ms instead of 20."),
        _("Set interval to 20 in the profile."),
    ),
    "profile_energy": (
        _("Profile %(profile)s has energy-level %(energy)s: who speaks softly is cut off."),
        _("Set energy-level to 100 to 300 in the profile."),
    ),
    "profile_members": (
        _("Profile %(profile)s lets only %(most)s people in."),
        _("Raise max-members to 3 at least: caller, agent, and a supervisor."),
    ),
    # where callers go
    "destination": (
        _("Callers return to “%(destination)s” (%(departments)s): extension %(extension)s takes them."),
        "",
    ),
    "destination_perhaps": (
        _(
            "Callers return to “%(destination)s” (%(departments)s): extension %(extension)s may take them; "
            "it also depends on %(depends)s."
        ),
        _("Make sure that it takes them at any time: FreeSWITCH hangs up a caller whom no extension takes."),
    ),
    "destination_nowhere": (
        _(
            "Callers return to “%(destination)s” (%(departments)s), but no extension of the context "
            "%(context)s takes them: they would be hung up."
        ),
        _("Add the extension to the dialplan, or correct the destination of the department."),
    ),
    "destination_no_such_context": (
        _(
            "Callers return to “%(destination)s” (%(departments)s), but there is no dialplan context "
            "%(context)s: they would be hung up."
        ),
        _(
            "Correct the destination of the department, or add the context. A dialplan made on demand cannot "
            "be seen from here."
        ),
    ),
    "destination_no_context": (
        _(
            "Callers return to “%(destination)s” (%(departments)s) without a context: whether it exists "
            "depends on the call."
        ),
        _("Write “%(destination)s XML CONTEXT” at the department."),
    ),
    "inline": (
        _("Callers return to “%(destination)s” (%(departments)s): applications %(applications)s are known."),
        "",
    ),
    "inline_unknown": (
        _("Callers return to “%(destination)s” (%(departments)s), with unknown applications: %(applications)s."),
        _("Correct the destination of the department: a caller is hung up at an unknown application."),
    ),
    # agents
    "no_agents": (_("No department has an agent who takes calls."), _("Add agents to the departments in the admin.")),
    "no_domain": (
        _("Agents cannot be rung: neither the telephone switch in the admin nor FreeSWITCH itself names a domain."),
        _("Write the domain of your directory into the telephone switch (or FREESWITCH_DOMAIN)."),
    ),
    "agent_registered": (_("%(number)s (%(name)s): registered, telephones: %(telephones)s."), ""),
    "agent_fixed": (_("%(number)s (%(name)s): known, dialled at a fixed address that needs no registration."), ""),
    "agent_not_registered": (
        _("%(number)s (%(name)s): known, but no telephone is registered now."),
        _("Turn the telephone on, or check its account. Until then callers are told that he is not available."),
    ),
    "agent_unknown": (
        _("%(number)s (%(name)s): FreeSWITCH's directory knows no such user: he is never rung."),
        _("Add the user to the directory, correct the number in the admin, or the domain of the telephone switch."),
    ),
    "agent_no_dial_string": (
        _("%(number)s (%(name)s): the directory has no dial-string for him: he cannot be rung."),
        _("Set dial-string in the domain's params, as FreeSWITCH's own directory does."),
    ),
    "agent_cannot_tell": (
        _("%(number)s (%(name)s): known, but whether he can be reached cannot be told from his dial-string."),
        _("Try a transfer to him."),
    ),
    # audio
    "audio": (
        _(
            "FreeSWITCH reaches %(url)s: first audio after %(first)s ms, there and back in %(p50)s ms (at "
            "most %(most)s)."
        ),
        "",
    ),
    "audio_late": (
        _("Audio to %(url)s is late: first frame after %(first)s ms, there and back in %(p50)s ms (at most %(most)s)."),
        _("More than 100 ms make the announcer slow to react: bring the web process nearer to FreeSWITCH."),
    ),
    "frames": (_("Audio arrives evenly at %(url)s: %(count)s frames, gaps p99 %(p99)s ms, at most %(most)s."), ""),
    "frames_uneven": (
        _("Audio arrives unevenly at %(url)s: gaps p99 %(p99)s ms, at most %(most)s (%(count)s frames)."),
        _("Look for a loaded machine or a bad network between FreeSWITCH and the web process."),
    ),
    "audio_unreachable": (_("FreeSWITCH cannot reach %(url)s (%(error)s): agents would hear nothing."), _AUDIO_ADVICE),
    "audio_no_answer": (
        _("Nobody answers FreeSWITCH at %(url)s (%(error)s): agents would hear nothing."),
        _AUDIO_ADVICE,
    ),
    "audio_somebody_else": (
        _("Something answers at %(url)s, but it takes no audio (%(error)s)."),
        _("Does the proxy pass WebSockets on below /audio/? Have all web processes the same SECRET_KEY?"),
    ),
    "audio_refused_order": (
        _("FreeSWITCH refuses to stream to %(url)s."),
        _("AUDIO_BASE_URL must begin with ws:// or wss://, and AUDIO_RATE be a multiple of 8000."),
    ),
    "audio_silent": (
        _("FreeSWITCH connects to %(url)s but sends no audio."),
        _("Look into FreeSWITCH's log for mod_audio_stream; does a proxy hold WebSocket messages back?"),
    ),
    "audio_no_echo": (
        _("What the web process at %(url)s sends does not come back to FreeSWITCH."),
        _("Does a proxy hold WebSocket messages back?"),
    ),
    "audio_frame_size": (
        _("Audio frames at %(url)s have %(bytes)s bytes instead of %(wanted)s (%(rate)s Hz)."),
        _("Set AUDIO_RATE to 8000 or 16000: this mod_audio_stream does not know %(rate)s."),
    ),
    "clip_lost": (
        _("A clip sent from %(url)s was not accepted by FreeSWITCH."),
        _("Can FreeSWITCH write into its temporary folder? Look into its log for mod_audio_stream."),
    ),
    "no_web_process": (
        _("No web process is running: nobody would speak to the agents."),
        _("Start it, and examine again."),
    ),
    "no_test_leg": (
        _("The test leg could not be made: %(reply)s"),
        _("Is mod_loopback loaded? Does FreeSWITCH take calls at all (fsctl pause, max-sessions)?"),
    ),
    "audio_not_tried": (
        _("The way of the audio was not tried: a module for it is missing."),
        _("Load what is missing above, and examine again."),
    ),
}
