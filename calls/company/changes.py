"""Changes of the company that the file and the admin make in the same way."""

from calls.models import Department, Extension, Membership


def make_default(department: Department) -> list[Department]:
    """Take the mark "default" from all others; who had it."""
    others = list(Department.objects.filter(is_default=True).exclude(pk=department.pk))
    for other in others:
        other.is_default = False
        other.save()
    return others


def set_agents(department: Department, numbers: list[str]) -> bool:
    """Make `numbers` the agents, in this order; whether that changed anything."""
    present = {each.extension.number: each for each in department.memberships.select_related("extension")}
    changed = list(present) != numbers
    for number in set(present) - set(numbers):
        present[number].delete()
    extensions = {each.number: each for each in Extension.objects.filter(number__in=numbers)}
    for position, number in enumerate(numbers, 1):
        membership = present.get(number) or Membership(department=department, extension=extensions[number])
        if membership.pk is None or membership.position != position:
            membership.position = position
            membership.save()
            changed = True
    return changed
