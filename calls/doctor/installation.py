"""What the product will ask of a switch, read from the database and the environment."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from calls import selectors
from calls.models import Department, Switch, WebProcess
from calls.services.audio import DEAD_AFTER_SECONDS


@dataclass(frozen=True)
class Installation:
    """`destinations`: destination -> names of the departments that send callers there; `agents`: number -> name;
    `audio_urls`: base addresses of the web processes that are alive."""

    host: str
    port: int
    password: str
    password_variable: str
    profile: str = "default"
    domain: str = ""
    music: str = ""  # what a caller on hold is played, "" when no department asks for it
    rate: int = 24000
    destinations: dict[str, list[str]] | None = None
    agents: dict[str, str] | None = None
    audio_urls: tuple[str, ...] = ()


def read(switch: Switch, password: str) -> Installation:
    departments = list(Department.objects.filter(enabled=True))
    destinations: dict[str, list[str]] = {}
    agents: dict[str, str] = {}
    for department in departments:
        for destination in dict.fromkeys((department.return_to, department.after_call_to)):
            if destination:
                destinations.setdefault(destination, []).append(department.name)
        agents |= {agent.number: agent.name for agent in selectors.agents_of(department, switch)}
    wants_music = any(each.caller_hears == Department.CallerHears.MUSIC for each in departments)
    alive = WebProcess.objects.filter(heartbeat_at__gte=timezone.now() - timedelta(seconds=DEAD_AFTER_SECONDS))
    return Installation(
        host=switch.host,
        port=switch.port,
        password=password,
        password_variable=switch.password_variable,
        profile=switch.conference_profile,
        domain=switch.domain,
        # As calls.switch.wording chooses it.
        music=(switch.hold_music or "local_stream://moh") if wants_music else "",
        rate=settings.AUDIO_RATE,
        destinations=destinations,
        agents=dict(sorted(agents.items())),
        audio_urls=tuple(sorted(set(alive.values_list("audio_base_url", flat=True)))),
    )
