"""The three groups that every installation begins with. Made once; what an administrator changes in them stays."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

SEE = ["view_transfer"]
ACT = ["see_numbers", "act_on_transfers", "listen", "whisper", "join", "try_departments", "view_supervisoraction"]
CONFIGURED = [
    "apiclient",
    "department",
    "extension",
    "membership",
    "openinghours",
    "holiday",
    "switch",
    "departmentscope",
    "supervisortelephone",
]
CONFIGURE = [f"{verb}_{model}" for model in CONFIGURED for verb in ("view", "add", "change", "delete")]
PEOPLE = [f"{verb}_{model}" for model in ("user", "group") for verb in ("view", "add", "change", "delete")]
# Nobody of "Administrador" acts on calls by that alone: give a person both groups.
GROUPS = {
    "Atendimento": (SEE, []),
    "Supervisor": (SEE + ACT, []),
    "Administrador": (
        [*SEE, "see_numbers", "try_departments", "view_ticket", "view_supervisoraction", *CONFIGURE],
        PEOPLE,
    ),
}


def make_groups(sender: Any = None, using: str = "default", **_: Any) -> None:
    """Receiver of post_migrate, after Django has made the permissions."""
    for name, (ours, auths) in GROUPS.items():
        group, new = Group.objects.using(using).get_or_create(name=name)
        if new:
            wanted = Q(content_type__app_label="calls", codename__in=ours)
            wanted |= Q(content_type__app_label="auth", codename__in=auths)
            group.permissions.set(Permission.objects.using(using).filter(wanted))
