"""Permissions are chosen in words, and only those that open a page are offered."""

import re

from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from calls.admin.people import useful_permissions

NO_DEPARTMENTS = {"department_scopes-TOTAL_FORMS": "0", "department_scopes-INITIAL_FORMS": "0"}


def offered(response) -> list[str]:
    page = response.content.decode()
    return [text.strip() for text in re.findall(r"<option[^>]*>([^<]*)</option>", page)]


def test_permissions_are_offered_in_portuguese(root):
    user = User.objects.get()
    for address in (reverse("admin:auth_group_add"), reverse("admin:auth_user_change", args=[user.pk])):
        options = offered(root.get(address))
        assert "Departamentos: alterar" in options
        assert "Transferências: ver" in options
        assert "Pode ver os números dos clientes por inteiro" in options
        assert not [option for option in options if "Can " in option or "istorical" in option]


def test_a_group_gets_the_permission_that_was_chosen(root):
    wanted = Permission.objects.get(codename="see_numbers")
    answer = root.post(
        reverse("admin:auth_group_add"), {"name": "Supervisão", "permissions": [wanted.pk], **NO_DEPARTMENTS}
    )
    assert answer.status_code == 302
    assert list(Group.objects.get(name="Supervisão").permissions.all()) == [wanted]


def test_a_group_made_ready_keeps_its_rights_when_it_is_saved_and_can_be_narrowed(root, vendas):
    for group in Group.objects.all():
        before = set(group.permissions.all())
        form = {"name": group.name, "permissions": [each.pk for each in useful_permissions() if each in before]}
        form |= {"department_scopes-TOTAL_FORMS": "1", "department_scopes-INITIAL_FORMS": "0"}
        form |= {"department_scopes-0-department": str(vendas.pk)}
        answer = root.post(reverse("admin:auth_group_change", args=[group.pk]), form)
        assert answer.status_code == 302
        assert set(group.permissions.all()) == before, group.name
        assert [scope.department for scope in group.department_scopes.all()] == [vendas]
