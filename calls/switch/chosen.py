"""Which switch a command is for, and its password. Errors are sentences for whoever typed the command."""

from django.conf import settings

from calls.models import Switch
from transferhub import env

FROM_ENVIRONMENT = "padrao"


class NoSwitch(Exception):
    """No switch, or no password for it."""


class NoPassword(NoSwitch):
    """The variable that its row names is not set."""


def choose(slug: str = "") -> Switch:
    """The switch of this short name; "": the only one in use. Raises NoSwitch."""
    if not Switch.objects.exists():
        Switch.objects.create(slug=FROM_ENVIRONMENT, name="FreeSWITCH")
    # The row made from the environment follows it; all others belong to the administrator.
    Switch.objects.filter(slug=FROM_ENVIRONMENT).update(
        host=settings.FREESWITCH_HOST,
        port=settings.FREESWITCH_PORT,
        domain=settings.FREESWITCH_DOMAIN,
        conference_profile=settings.FREESWITCH_PROFILE,
    )
    usable = list(Switch.objects.filter(enabled=True))
    if slug:
        usable = [switch for switch in usable if switch.slug == slug]
        if not usable:
            raise NoSwitch(f"No switch in use is called {slug}.")
    if not usable:
        raise NoSwitch("No switch is in use: turn one on in the administration.")
    if len(usable) > 1:
        names = ", ".join(switch.slug for switch in usable)
        raise NoSwitch(f"There are several switches ({names}): say --switch and one of them.")
    return usable[0]


def password_of(switch: Switch) -> str:
    """The Event Socket's password, from the environment. Raises NoPassword."""
    password = env.secret(switch.password_variable)
    if not password and switch.password_variable == "FREESWITCH_PASSWORD":
        password = settings.FREESWITCH_PASSWORD
    if not password:
        raise NoPassword(f"Set {switch.password_variable} to the Event Socket password of {switch.slug}.")
    return password
