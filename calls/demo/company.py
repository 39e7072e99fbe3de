"""The demo's database: tables, the sample company, its administrator, its API client, telephones to try."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from calls import services
from calls.models import ApiClient, Extension, Switch, Transfer, Trial
from calls.simulator.phonebook import spares
from calls.transfer.states import State

ADMIN = "admin"
API_CLIENT = "demo"
COMPANY = Path(settings.BASE_DIR) / "calls" / "simulator" / "company.yaml"


def prepare(admin_password: str, api_key: str) -> str:
    """Everything in place, nothing twice; the API key that works."""
    call_command("migrate", verbosity=0, interactive=False)
    if not Extension.objects.exists():  # later runs keep what was changed in the admin
        with open("/dev/null", "w") as nowhere:
            call_command("load_company", str(COMPANY), stdout=nowhere)
    _make_admin(admin_password)
    return _make_api_client(api_key)


def forget_dead_processes() -> None:
    """A killed run leaves its lease; nobody else can hold one while we hold the folder's lock."""
    Switch.objects.update(connected=False, lease_holder="", lease_until=None)
    for trial_id in Trial.objects.filter(ended_at=None).values_list("pk", flat=True):
        services.end_trial(trial_id, "stopped")


def free_spare(temperament: str) -> Extension:
    """A telephone of this temperament that no open transfer uses. Raises ValueError in words."""
    numbers = spares(temperament)
    taken = set(
        Transfer.objects.exclude(state=State.ENDED.value)
        .filter(destination__in=numbers)
        .values_list("destination", flat=True)
    )
    taken |= set(
        Extension.objects.filter(number__in=numbers, claimed_by__isnull=False).values_list("number", flat=True)
    )
    number = next((number for number in numbers if number not in taken), None)
    if number is None:
        raise ValueError(f'All {len(numbers)} telephones of "{temperament}" are in use: wait for one to be free.')
    return Extension.objects.get_or_create(number=number, defaults={"name": f"Simulado: {temperament}"})[0]


def _make_admin(password: str) -> None:
    user, _ = get_user_model().objects.get_or_create(username=ADMIN, defaults={"email": "admin@example.com"})
    if not (user.is_superuser and user.is_staff and user.is_active and user.check_password(password)):
        user.is_superuser = user.is_staff = user.is_active = True
        user.set_password(password)
        user.save()


def _make_api_client(key: str) -> str:
    if key and services.authenticate(key):
        return key
    client = ApiClient.objects.filter(name=API_CLIENT).first()
    return services.rotate_api_key(client) if client else services.create_api_client(API_CLIENT)[1]
