"""The examination itself: one connection, questions, one test leg. A thin shell; judge.py and stream.py judge."""

import time
from collections.abc import Callable

from calls.doctor import dialplan, judge, replies, stream
from calls.doctor.findings import Finding, ok, unfit, warning
from calls.doctor.installation import Installation
from calls.doctor.leg import SUBCLASSES, CheckLeg
from calls.switch import safe
from calls.switch.connection import Connection, SwitchGone, WrongPassword
from calls.switch.parsing import SwitchEvent, json_list
from calls.switch.safe import WordingError

SAMPLES = 100  # of the round trip
TIMEOUT = 5.0

Tell = Callable[[Finding], None]


async def examine(of: Installation, tell: Tell | None = None) -> list[Finding]:
    """All findings in order; each is told as soon as it is there. Never raises for what a switch does or does not."""
    exam = _Exam(of, tell or (lambda finding: None))
    try:
        await exam.run()
    except WrongPassword:
        exam.note(unfit("wrong_password", variable=of.password_variable))
    except SwitchGone as error:
        code = "connection_lost" if exam.logged_in else "unreachable"
        exam.note(unfit(code, host=of.host, port=of.port, reason=str(error)))
    return exam.findings


class _Exam:
    def __init__(self, of: Installation, tell: Tell) -> None:
        self.of, self._tell = of, tell
        self.findings: list[Finding] = []
        self.logged_in = False
        self._leg: CheckLeg | None = None
        self._reply_ms = 0.0

    def note(self, *findings: Finding) -> None:
        for finding in findings:
            self.findings.append(finding)
            self._tell(finding)

    async def run(self) -> None:
        of = self.of
        self._connection = Connection(of.host, of.port, of.password, on_event=self._on_event, timeout=TIMEOUT)
        await self._connection.connect()
        self.logged_in = True
        try:
            self.note(ok("logged_in", host=of.host, port=of.port))
            await self._itself()
            loaded = await self._modules()
            await self._conferences()
            await self._destinations()
            await self._agents()
            await self._audio(loaded)
        finally:
            await self._connection.close()

    def _on_event(self, event: SwitchEvent) -> None:
        if self._leg is not None:
            self._leg.on_event(event)

    async def _api(self, command: str) -> str:
        return await self._connection.api(command)

    # ------------------------------------------------------------ the switch itself
    async def _itself(self) -> None:
        self.note(judge.version(await self._api("version")))
        took, ahead = [], []
        for _ in range(SAMPLES):
            asked, before = time.time(), time.perf_counter()
            micros = replies.number(await self._api("strmicroepoch"))
            took.append((time.perf_counter() - before) * 1000)
            if micros is not None:
                ahead.append((took[-1], micros / 1e6 - (asked + took[-1] / 2000)))
        self._reply_ms = judge.percentile(took, 0.5)
        self.note(judge.round_trip(took))
        # The quickest answer tells the time best.
        self.note(judge.clock(min(ahead)[1]) if ahead else warning("clock_unknown"))
        self.note(judge.sessions(await self._api("status")))

    async def _modules(self) -> dict[str, bool]:
        names = [*judge.NEEDED, *judge.WANTED]
        music = judge.module_of(self.of.music)
        asked = dict.fromkeys([*names, *([music] if music else [])], False)
        for name in asked:
            asked[name] = replies.is_true(await self._api(f"module_exists {name}"))
        self.note(*judge.modules({name: asked[name] for name in names}))
        self.note(*judge.music(self.of.music, asked.get(music, True)))
        return asked

    async def _conferences(self) -> None:
        configuration = await self._api("xml_locate configuration configuration name conference.conf")
        self.note(*judge.profile(configuration, self.of.profile))
        listed = await self._api("conference json_list")
        self.note(judge.conferences(listed, len(json_list(listed))))

    # ------------------------------------------------------------ what the company needs of it
    async def _destinations(self) -> None:
        contexts, known = {}, None
        for text, departments in (self.of.destinations or {}).items():
            wanted = dialplan.parse(text)
            if wanted.applications or not wanted.number:
                if known is None:
                    known = replies.applications(await self._api("show application as json"))
                self.note(judge.inline_destination(text, departments, known))
                continue
            if wanted.context and wanted.context not in contexts:
                reply = await self._api(f"xml_locate dialplan context name {wanted.context}")
                contexts[wanted.context] = replies.xml(reply)
            self.note(judge.destination(text, departments, contexts.get(wanted.context)))

    async def _agents(self) -> None:
        agents = self.of.agents or {}
        if not agents:
            self.note(warning("no_agents"))
            return
        own = "" if self.of.domain else await self._api("global_getvar domain")
        self.note(*judge.domain(self.of.domain, own))
        domain = self.of.domain or own
        for number, name in agents.items():
            try:
                self.note(await self._agent(safe.extension(number), name, safe.name(domain)))
            except WordingError:
                continue  # without a domain nobody is anybody; said above

    async def _agent(self, number: str, name: str, domain: str) -> Finding:
        exists = replies.is_true(await self._api(f"user_exists id {number} {domain}"))
        dial_string = await self._api(f"user_data {number}@{domain} param dial-string") if exists else ""
        contact = await self._api(f"sofia_contact */{number}@{domain}") if "sofia_contact" in dial_string else ""
        return judge.agent(number, name, exists, dial_string, contact)

    # ------------------------------------------------------------ the test leg
    async def _audio(self, loaded: dict[str, bool]) -> None:
        if not (loaded["mod_audio_stream"] and loaded["mod_loopback"] and loaded["mod_dptools"]):
            self.note(warning("audio_not_tried"))
            return
        await self._connection.subscribe([], SUBCLASSES)
        leg = self._leg = CheckLeg(self._connection)
        async with leg:
            if not leg.uuid:
                self.note(unfit("no_test_leg", reply=leg.refusal[:100]))
            elif not self.of.audio_urls:
                self.note(unfit("no_web_process"))
            else:
                for url in self.of.audio_urls:
                    self.note(*stream.judge(await leg.measure(url, self.of.rate), self.of.rate, self._reply_ms))
        self.note(judge.timers(*leg.net))
