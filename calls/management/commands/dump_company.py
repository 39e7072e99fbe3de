"""manage.py dump_company > company.yaml"""

from django.core.management.base import BaseCommand

from calls import company


class Command(BaseCommand):
    help = "Write the whole company as the YAML that load_company reads."

    def handle(self, *args, **options):
        self.stdout.write(company.dump_text(), ending="")
