"""Permissions are chosen in words, and only those that open a page are offered."""

import re

from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse


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
    answer = root.post(reverse("admin:auth_group_add"), {"name": "Supervisão", "permissions": [wanted.pk]})
    assert answer.status_code == 302
    assert list(Group.objects.get(name="Supervisão").permissions.all()) == [wanted]
