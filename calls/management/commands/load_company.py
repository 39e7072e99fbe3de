"""manage.py load_company FILE.yaml [--prune]"""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from calls import company


class Command(BaseCommand):
    help = (
        "Write the extensions, departments and limits of a company file into the database (docs/examples/company.yaml)."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", help="a YAML file, or - for standard input")
        parser.add_argument("--prune", action="store_true", help="disable what the file's sections leave out")

    def handle(self, *args, file: str, prune: bool, **options):
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(_("Cannot read %(file)s: %(error)s") % {"file": file, "error": error}) from error
        try:
            report = company.load_text(text, prune=prune)
        except company.CompanyError as error:
            heading = _("%(file)s was not loaded, nothing has changed:") % {"file": file}
            raise CommandError("\n  ".join([heading, *error.problems])) from error
        for title, lines in (
            (_("new"), report.created),
            (_("changed"), report.changed),
            (_("disabled"), report.disabled),
            (_("mind"), report.warnings),
        ):
            for line in lines:
                self.stdout.write(f"{title}: {line}")
        if not (report.created or report.changed or report.disabled):
            self.stdout.write(_("Nothing to change."))
