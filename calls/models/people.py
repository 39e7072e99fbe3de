"""Who may see which departments, and who did what to a transfer. Written by `calls.services.people` and the admin."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.models.company import Department
from calls.models.transfer import Transfer


class DepartmentScope(models.Model):
    """A group's or a person's transfers are those of its departments; who has none of these rows sees all.

    Rights come from permissions, this only narrows them: of several groups' departments a person sees every one.
    """

    department = models.ForeignKey(Department, models.CASCADE, related_name="scopes", verbose_name=_("department"))
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="department_scopes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="department_scopes"
    )

    class Meta:
        verbose_name = _("department to see")
        verbose_name_plural = _("departments to see (none: all)")
        constraints = [
            models.CheckConstraint(
                condition=Q(group__isnull=True, user__isnull=False) | Q(group__isnull=False, user__isnull=True),
                name="a_scope_is_a_groups_or_a_persons",
            ),
            models.UniqueConstraint(fields=["department", "group"], name="a_department_once_a_group"),
            models.UniqueConstraint(fields=["department", "user"], name="a_department_once_a_person"),
        ]

    def __str__(self) -> str:
        return str(self.department)


class AppendOnly(models.QuerySet):
    """Rows are added and read."""

    def update(self, **values):
        raise TypeError("these rows are never changed")

    def delete(self):
        raise TypeError("these rows are never deleted")


class SupervisorAction(models.Model):
    """What a person asked for at the console, when, why, and what came of it. Append-only.

    Names are copied, so that the row stays readable when the person or the transfer is gone.
    """

    at = models.DateTimeField(_("when"), db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("what"), max_length=20)  # a value of calls.services.people.Action, or another's word
    done = models.BooleanField(_("done"))
    note = models.CharField(_("why not"), max_length=200, blank=True)  # of a refusal, in words
    reason = models.CharField(_("reason"), max_length=300, blank=True)  # the person's own words
    transfer = models.ForeignKey(Transfer, models.SET_NULL, null=True, related_name="supervisor_actions")
    transfer_short = models.CharField(max_length=12, blank=True)
    department = models.ForeignKey(Department, models.SET_NULL, null=True, related_name="+")
    version = models.PositiveIntegerField(default=0)  # of the transfer, as the person saw it
    state = models.CharField(max_length=12, blank=True)  # of the transfer when the action arrived

    objects = AppendOnly.as_manager()

    class Meta:
        verbose_name = _("supervisor's action")
        verbose_name_plural = _("supervisors' actions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.username}: {self.action}"

    def save(self, *args, **kwargs):
        if self.pk is not None:
            raise TypeError("these rows are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("these rows are never deleted")
