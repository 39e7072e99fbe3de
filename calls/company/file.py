"""The text of a company file: YAML in which every scalar stays as it was written, and every value knows its line.

Plain YAML reads `0700` as the number 448 and `10:30` as 630. Extensions and times are full of such texts, so only
true, false and null are understood here; the model's fields convert the rest and explain what they cannot.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml
from django.utils.translation import gettext as _

Path = tuple[str | int, ...]
_UNDERSTOOD = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}


class CompanyError(Exception):
    """What is wrong with a company file: `problems`, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Document:
    """The file's data and the line (from 1) of each value, by its path from the root."""

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in _UNDERSTOOD]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def read(text: str) -> Document:
    """The document of `text`. Raises CompanyError for what is no YAML or says the same key twice."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        document = Document(loader.construct_document(root) if root else None)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = _("line %(line)d: this is not YAML (%(problem)s)") % {"line": line, "problem": error.problem}
        raise CompanyError([problem]) from error
    except yaml.YAMLError as error:
        raise CompanyError([str(error)]) from error
    finally:
        loader.dispose()
    doubles: list[str] = []
    if root:
        _note_lines(root, (), document.lines, doubles)
    if doubles:
        raise CompanyError(doubles)
    return document


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int], doubles: list[str]) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _note_lines(child, (*path, index), lines, doubles)
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            below = (*path, key.value)
            if below in lines:
                line = key.start_mark.line + 1
                doubles.append(_("line %(line)d: “%(key)s” is given twice") % {"line": line, "key": key.value})
            _note_lines(child, below, lines, doubles)
            lines[below] = key.start_mark.line + 1


def write(data: dict[str, Any]) -> str:
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110, indent=2
    )


def plain_number(number: str) -> int | str:
    """As an integer where YAML would read the very same number back; 0800 stays a (quoted) text."""
    return int(number) if number.isdecimal() and number.isascii() and str(int(number)) == number else number


def as_text(value: Any) -> str:
    """A scalar as it would stand in the file."""
    return value.isoformat() if isinstance(value, date) else str(value)
