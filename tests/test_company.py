"""The company file: what it says is what the database holds, or nothing has changed."""

from datetime import time
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from calls import company
from calls.models import Department, Extension, Holiday, Switch

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "docs/examples/company.yaml").read_text(encoding="utf-8")
DEMO = (ROOT / "calls/simulator/company.yaml").read_text(encoding="utf-8")
SMALL = """
extensions:
- {number: 2001, name: Ana}
- {number: 2002, name: Bruno}
departments:
- {slug: vendas, name: Vendas, default: true, agents: [2002, 2001], ring_seconds: 20}
"""


def agents(slug: str) -> list[str]:
    return [str(each.extension.number) for each in Department.objects.get(slug=slug).memberships.all()]


def problems_of(text: str) -> list[str]:
    with pytest.raises(company.CompanyError) as raised:
        company.load_text(text)
    return raised.value.problems


def test_what_was_loaded_is_dumped_again():
    company.load_text(EXAMPLE)
    assert yaml.safe_load(company.dump_text()) == yaml.safe_load(EXAMPLE)


def test_a_dump_loads_into_an_empty_company_as_the_same_company():
    company.load_text(DEMO)
    dumped = company.dump_text()
    for model in (Department, Extension, Switch, Holiday):
        model.objects.all().delete()
    company.load_text(dumped)
    assert company.dump_text() == dumped


def test_loading_twice_changes_nothing_and_writes_no_history():
    company.load_text(EXAMPLE)
    written = Department.history.count()
    report = company.load_text(EXAMPLE)
    assert (report.created, report.changed, report.disabled) == ([], [], [])
    assert Department.history.count() == written


def test_agents_are_rung_in_the_order_of_the_file():
    company.load_text(SMALL)
    assert agents("vendas") == ["2002", "2001"]
    company.load_text(SMALL.replace("[2002, 2001]", "[2001, 2002]"))
    assert agents("vendas") == ["2001", "2002"]
    company.load_text(SMALL.replace("[2002, 2001]", "[2001]"))
    assert agents("vendas") == ["2001"]


def test_what_the_file_does_not_name_is_left_alone():
    company.load_text(SMALL)
    Department.objects.update(instructions="Olá {agent}", ring_seconds=90)
    company.load_text("departments: [{slug: suporte, name: Suporte}]")
    company.load_text(SMALL)
    vendas = Department.objects.get(slug="vendas")
    assert (vendas.instructions, vendas.ring_seconds) == ("Olá {agent}", 20)
    assert Department.objects.get(slug="suporte").enabled


def test_prune_disables_what_a_named_section_leaves_out():
    company.load_text(SMALL + "- {slug: suporte, name: Suporte}\n")
    report = company.load_text("departments: [{slug: suporte}]", prune=True)
    assert not Department.objects.get(slug="vendas").enabled
    assert Extension.objects.filter(enabled=True).count() == 2
    assert len(report.disabled) == 1


def test_a_new_default_takes_the_mark_from_the_old_one():
    company.load_text(SMALL)
    company.load_text("departments: [{slug: suporte, name: Suporte, default: true}]")
    assert list(Department.objects.filter(is_default=True).values_list("slug", flat=True)) == ["suporte"]


def test_an_extension_that_begins_with_a_zero_keeps_it():
    company.load_text("extensions: [{number: 0700, name: Zé}]")
    assert Extension.objects.get().number == "0700"
    assert yaml.safe_load(company.dump_text())["extensions"][0]["number"] == "0700"


def test_hours_become_spans():
    company.load_text("departments: [{slug: v, name: V, hours: {friday: [22:00-06:00], sunday: [8:00-24:00]}}]")
    rows = Department.objects.get().opening_hours.values_list("weekday", "opens", "closes")
    assert list(rows) == [(4, time(22), time(6)), (6, time(8), time(0))]


def test_a_department_without_agents_is_mentioned():
    assert len(company.load_text("departments: [{slug: v, name: V}]").warnings) == 1
    assert company.load_text(SMALL.replace("vendas", "v")).warnings == []


def test_every_problem_is_told_at_once_with_its_line_and_nothing_is_written():
    problems = problems_of(
        "extensions:\n"
        "- {number: 20 01, name: Ana}\n"
        "- {number: 2002, name: no}\n"
        "departments:\n"
        "- slug: vendas\n"
        "  name: Vendas\n"
        "  ring_secs: 20\n"
        "  ring_seconds: 3\n"
        "  decision_seconds: ten\n"
        "  agents: [2002, 2009, 2002]\n"
        "  hours: {monday: [8 to 18], moonday: []}\n"
        "  holidays: [{date: 2026-13-01, name: x}]\n"
        "  return_to: ivr return\n"
        "  ticket_on: [banana]\n"
        "- {slug: suporte, name: Suporte, ring_seconds: 100, total_seconds: 60}\n"
    )
    lines = [int(problem.split()[1].strip(",")) for problem in problems]
    assert lines == [2, 3, 7, 8, 9, 10, 10, 11, 11, 12, 13, 14, 15]
    assert "departments[1] (vendas) › ring_seconds:" in problems[3]
    assert "departments[1] (vendas) › agents[2]:" in problems[5]
    assert "ring_seconds" in problems[2].partition("ring_secs")[2]  # the name that was meant
    assert not Extension.objects.exists() and not Department.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "just words",
        "extensions: [",
        "extensions: {number: 2001}",
        "extensions: [2001]",
        "extensions: [{number: 2001, name: [Ana]}]",
        "extensions: [{number: 2001, name: Ana}, {number: 2001, name: Ana}]",
        "extensions: [{number: 2001, name: Ana, switch: nowhere}]",
        "extensions: []\nextensions: []",
        "departamentos: []",
        "departments: [{name: Vendas}]",
        "departments: [{slug: v, name: V, default: yes}, {slug: w, name: W, default: yes}]",
        "departments: [{slug: v, name: V, hours: [monday]}]",
        "departments: [{slug: v, name: V, holidays: {natal: 2026-12-25}}]",
        "departments: [{slug: v, name: V, timezone: Mars/Olympus}]",
        "!!python/object/apply:os.system [true]",
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_words(text):
    assert problems_of(text)
    assert not Department.objects.exists() and not Extension.objects.exists()


def test_an_empty_file_changes_nothing():
    assert company.load_text("").created == []


def test_the_commands_carry_a_company_from_one_file_to_another(tmp_path, capsys):
    file = tmp_path / "company.yaml"
    file.write_text(SMALL, encoding="utf-8")
    call_command("load_company", str(file))
    assert "2001" in capsys.readouterr().out
    call_command("dump_company")
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    call_command("load_company", str(file))
    assert agents("vendas") == ["2002", "2001"]


def test_the_command_refuses_a_file_it_cannot_read(tmp_path):
    with pytest.raises(CommandError):
        call_command("load_company", str(tmp_path / "nowhere.yaml"))


def test_the_demo_has_two_agents_for_each_of_its_three_departments():
    assert company.load_text(DEMO).warnings == []
    assert agents("vendas") == ["2001", "2002"]
    assert agents("suporte") == ["2003", "2004"]
    assert agents("financeiro") == ["2005", "2006"]
