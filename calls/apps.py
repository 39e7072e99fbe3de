from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = _("Transfers")

    def ready(self) -> None:
        from calls import checks, groups  # noqa: F401  (registers the checks)

        post_migrate.connect(groups.make_groups, sender=self)
