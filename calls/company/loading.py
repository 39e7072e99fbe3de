"""From a company file's data to the database: everything is checked first, then written in one transaction."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from calls.company import file
from calls.company.changes import make_default, set_agents
from calls.company.file import CompanyError, Document, Path, as_text
from calls.company.lists import days_of, hours_of, same_rows
from calls.company.rules import broken_rules
from calls.company.schema import KEY, LISTS, RENAMED, SECTIONS, settings_of
from calls.models import Department, Extension, Holiday, Switch


@dataclass
class Report:
    """What load() did, as "department vendas" and so on; `warnings` are sentences."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    disabled: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def load_text(text: str, *, prune: bool = False) -> Report:
    """load() the YAML `text`; problems name their line. Raises CompanyError."""
    document = file.read(text)
    return _Load(document, prune).run()


def load(data: dict[str, Any], *, prune: bool = False) -> Report:
    """Write the company `data` (the shape of the file) in one transaction, or nothing at all.

    Raises CompanyError with every problem found.
    """
    return _Load(Document(data), prune).run()


@dataclass
class _Row:
    instance: Any
    path: Path
    given: dict[str, Any]
    before: dict[str, Any]

    @property
    def label(self) -> str:
        return f"{self.instance._meta.verbose_name} {getattr(self.instance, KEY[type(self.instance)])}"


class _Load:
    def __init__(self, document: Document, prune: bool) -> None:
        self.document, self.prune = document, prune
        self.problems: list[tuple[int, str]] = []
        self.report = Report()

    @transaction.atomic
    def run(self) -> Report:
        data = self.document.data if self.document.data is not None else {}
        if not isinstance(data, dict):
            raise CompanyError([_("The file must begin with sections such as extensions: and departments:.")])
        self.check_keys((), data, [*SECTIONS, "holidays"])
        rows = {name: list(self.rows(name, model, data.get(name))) for name, model in SECTIONS.items()}
        self.resolve_switches(rows)
        self.check_default(rows["departments"])
        lists = {row.path: self.lists(row, rows) for row in rows["departments"]}
        company_days = self.days(("holidays",), data["holidays"]) if "holidays" in data else None
        for row in (row for section in rows.values() for row in section):
            self.check(row)
        if self.problems:
            raise CompanyError([text for _line, text in sorted(self.problems, key=lambda problem: problem[0])])
        for section in rows.values():
            for row in section:
                self.save(row, lists.get(row.path, {}))
        if company_days is not None and same_rows(Holiday.objects.filter(department=None), company_days):
            self.report.changed.append(_("holidays of all departments"))
        for name, model in SECTIONS.items():
            if self.prune and name in data:
                self.disable_others(model, rows[name])
        self.warn()
        return self.report

    # ------------------------------------------------------------ reading
    def rows(self, name: str, model: type[models.Model], given: Any) -> Iterator[_Row]:
        existing = {getattr(row, KEY[model]): row for row in model.objects.all()} if given else {}
        seen: set[str] = set()
        for index, entry in enumerate(self.entries((name,), given)):
            path: Path = (name, index)
            if not isinstance(entry, dict):
                self.problem(path, _("write this as “name: value” pairs"))
                continue
            self.check_keys(path, entry, [*settings_of(model), *LISTS[model]])
            key = as_text(entry.get(KEY[model], ""))
            if not key:
                self.problem(path, _("“%(key)s” is missing") % {"key": KEY[model]})
                continue
            if key in seen:
                self.problem(path, _("%(key)s is here twice") % {"key": key})
                continue
            seen.add(key)
            instance = existing.get(key) or model()
            row = _Row(instance, path, entry, _values(instance))
            self.assign(row)
            yield row

    def assign(self, row: _Row) -> None:
        for name, setting in settings_of(type(row.instance)).items():
            if name not in row.given or setting.is_relation:
                continue
            value = row.given[name]
            if isinstance(setting, models.JSONField):
                value = self.entries((*row.path, name), value)
            elif name == "words" and isinstance(value, list):
                value = ", ".join(as_text(word) for word in value)
            elif isinstance(value, list | dict):
                self.problem((*row.path, name), _("one value is expected here"))
                continue
            elif isinstance(setting, models.CharField | models.TextField):
                if isinstance(value, bool):
                    self.problem((*row.path, name), _("this reads as true or false; put the text in quotes"))
                value = "" if value is None else as_text(value).removesuffix("\n")
            setattr(row.instance, setting.name, value)

    def resolve_switches(self, rows: dict[str, list[_Row]]) -> None:
        switches = {switch.slug: switch for switch in Switch.objects.all()}
        switches |= {row.instance.slug: row.instance for row in rows["switches"]}
        for row in rows["extensions"]:
            if "switch" in row.given:
                slug = row.given["switch"]
                if slug and slug not in switches:
                    self.problem((*row.path, "switch"), _("there is no switch %(slug)s") % {"slug": slug})
                row.instance.switch = switches.get(slug)

    def lists(self, row: _Row, rows: dict[str, list[_Row]]) -> dict[str, Any]:
        """The agents, hours and holidays of a department's entry; what it does not name is not in it."""
        found: dict[str, Any] = {}
        if "agents" in row.given:
            known = set(Extension.objects.values_list("number", flat=True))
            known |= {extension.instance.number for extension in rows["extensions"]}
            found["agents"] = []
            for index, agent in enumerate(self.entries((*row.path, "agents"), row.given["agents"])):
                number, path = as_text(agent), (*row.path, "agents", index)
                if number not in known:
                    self.problem(path, _("there is no extension %(number)s") % {"number": number})
                elif number in found["agents"]:
                    self.problem(path, _("%(key)s is here twice") % {"key": number})
                else:
                    found["agents"].append(number)
        if "hours" in row.given:
            found["hours"] = self.guarded(hours_of, (*row.path, "hours"), row.given["hours"])
        if "holidays" in row.given:
            found["holidays"] = self.days((*row.path, "holidays"), row.given["holidays"])
        return found

    def days(self, path: Path, given: Any) -> list[dict[str, Any]]:
        return self.guarded(days_of, path, given)

    def guarded(self, read: Any, path: Path, given: Any) -> Any:
        value, problems = read(given)
        for below, text in problems:
            self.problem((*path, *below), text)
        return value

    # ------------------------------------------------------------ checking
    def check(self, row: _Row) -> None:
        relations = [each.name for each in type(row.instance)._meta.concrete_fields if each.is_relation]
        try:
            row.instance.full_clean(exclude=relations, validate_constraints=False)
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                named = RENAMED.get(name, name)
                path = (*row.path, named) if named in settings_of(type(row.instance)) else row.path
                for text in texts:
                    self.problem(path, text)
        if isinstance(row.instance, Department):
            for name, text in broken_rules(row.instance):
                self.problem((*row.path, name), text)

    def check_default(self, rows: list[_Row]) -> None:
        marked = [row for row in rows if row.instance.is_default and row.given.get("default")]
        for row in marked[1:]:
            self.problem((*row.path, "default"), _("only one department can be the default"))

    def check_keys(self, path: Path, given: dict[Any, Any], allowed: list[str]) -> None:
        for key in given:
            if key not in allowed:
                close = difflib.get_close_matches(str(key), allowed, 1)
                text = _("“%(key)s” is not known here") % {"key": key}
                self.problem(
                    (*path, key), text + (_("; did you mean “%(close)s”?") % {"close": close[0]} if close else "")
                )

    def entries(self, path: Path, given: Any) -> list[Any]:
        if isinstance(given, list):
            return given
        if given is not None:
            self.problem(path, _("a list is expected here"))
        return []

    def problem(self, path: Path, text: str) -> None:
        line = self.document.lines.get(path) or self.document.lines.get(path[:-1]) or 0
        parts = [f"[{part + 1}]" if isinstance(part, int) else f" › {part}" for part in path]
        parts.insert(2, self.name_of(path))
        place = "".join(parts).removeprefix(" › ")
        where = _("line %(line)d, ") % {"line": line} if line else ""
        self.problems.append((line, f"{where}{place}: {text}"))

    def name_of(self, path: Path) -> str:
        if len(path) < 2 or path[0] not in SECTIONS:
            return ""
        entry = self.document.data[path[0]][path[1]]
        key = entry.get(KEY[SECTIONS[path[0]]]) if isinstance(entry, dict) else None
        return f" ({key})" if key else ""

    # ------------------------------------------------------------ writing
    def save(self, row: _Row, lists: dict[str, Any]) -> None:
        instance, is_new = row.instance, row.instance._state.adding
        changed = is_new or _values(instance) != row.before
        if changed:
            instance.save()
        if isinstance(instance, Department):
            if instance.is_default:
                make_default(instance)
            if "agents" in lists:
                changed |= set_agents(instance, lists["agents"])
            if "hours" in lists:
                changed |= same_rows(instance.opening_hours, lists["hours"], department=instance)
            if "holidays" in lists:
                changed |= same_rows(instance.holidays, lists["holidays"], department=instance)
        if changed:
            (self.report.created if is_new else self.report.changed).append(row.label)

    def disable_others(self, model: type[models.Model], rows: list[_Row]) -> None:
        for instance in model.objects.filter(enabled=True).exclude(pk__in=[row.instance.pk for row in rows]):
            instance.enabled = False
            instance.save()
            self.report.disabled.append(f"{model._meta.verbose_name} {getattr(instance, KEY[model])}")

    def warn(self) -> None:
        for department in Department.objects.filter(enabled=True).exclude(members__enabled=True):
            self.report.warnings.append(
                _("%(department)s has no agent who takes calls: every caller gets a ticket.")
                % {"department": department}
            )


def _values(instance: models.Model) -> dict[str, Any]:
    return {each.name: getattr(instance, each.attname) for each in settings_of(type(instance)).values()}
