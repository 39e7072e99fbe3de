"""What one person may see and do with transfers, asked of the database once a request."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from calls.models import Department, DepartmentScope, Transfer


@dataclass(frozen=True)
class Rights:
    """`departments`: ids of those whose transfers he sees, None: of all."""

    sees: bool = False
    sees_numbers: bool = False
    acts: bool = False
    listens: bool = False
    whispers: bool = False
    joins: bool = False
    audits: bool = False
    tries: bool = False  # departments, with simulated people
    departments: frozenset[int] | None = None

    def may_see(self, transfer: Transfer) -> bool:
        return self.sees and (self.departments is None or transfer.department_id in self.departments)

    def narrow(self, transfers: QuerySet[Transfer], field: str = "department") -> QuerySet:
        """Only what is of his departments; `field` leads from a row to its department."""
        return transfers if self.departments is None else transfers.filter(**{f"{field}__in": self.departments})

    def departments_to_choose(self) -> QuerySet[Department]:
        return self.narrow(Department.objects.all(), "pk")


def rights_of(user: AbstractBaseUser | AnonymousUser) -> Rights:
    """Three queries, at most."""
    if not user.is_authenticated or not user.is_active:
        return Rights()
    return Rights(
        sees=user.has_perm("calls.view_transfer"),
        sees_numbers=user.has_perm("calls.see_numbers"),
        acts=user.has_perm("calls.act_on_transfers"),
        listens=user.has_perm("calls.listen"),
        whispers=user.has_perm("calls.whisper"),
        joins=user.has_perm("calls.join"),
        audits=user.has_perm("calls.view_supervisoraction"),
        tries=user.has_perm("calls.try_departments"),
        departments=None if user.is_superuser else _departments_of(user),
    )


def _departments_of(user: AbstractBaseUser) -> frozenset[int] | None:
    mine = DepartmentScope.objects.filter(Q(user=user.pk) | Q(group__user=user.pk))
    return frozenset(mine.values_list("department_id", flat=True)) or None
