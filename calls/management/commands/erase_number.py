"""manage.py erase_number"""

import getpass

from django.core.management.base import BaseCommand, CommandError

from calls.services import erase_number
from calls.services.erasure import TransfersUnderWay


class Command(BaseCommand):
    help = (
        "Erase all that is known about one telephone number: numbers, names, summaries, contexts, transcripts, what "
        "was sent to callback addresses, and every text in which it stands. See docs/privacy.md."
    )

    def add_arguments(self, parser):
        parser.add_argument("number", help="with or without +, blanks and hyphens")
        parser.add_argument("--by", default="", help="who asks for it, for the record (default: the system's user)")

    def handle(self, *args, number: str, by: str, **options):
        try:
            erased = erase_number(number, by=by or _user())
        except ValueError as error:
            raise CommandError(f"This is no telephone number: {error}.") from None
        except TransfersUnderWay as error:
            raise CommandError(
                f"{error.count} transfer(s) of this number are under way: nothing was erased. Try again afterwards."
            ) from None
        self.stdout.write(f"Erased: {erased.transfers} transfer(s), {erased.texts} text(s).")
        if erased.protocols:
            self.stdout.write(f"Tickets that OmniPlay may hold: {', '.join(erased.protocols)}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return "system"
