"""Everything people read is there in Portuguese, and the compiled catalogue is the written one."""

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.utils.translation.template import templatize

from calls.admin.unfold_words import WORDS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "calls/locale/pt_BR/LC_MESSAGES"
# What each function takes: positions of context, text, plural.
CALLS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"], (None, 0, None)),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (None, 0, 1)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], (0, 1, None)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], (0, 1, 2)),
}
Key = tuple[str, str]  # context, text


@cache
def entries() -> dict[Key, list[str]]:
    """The .po file: its translations (two of a plural) by context and text. Small on purpose; it reads our own file."""
    found: dict[Key, list[str]] = {}
    for block in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        fields: dict[str, str] = {}
        name = ""
        for line in lines:
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
            fields[name] = fields.get(name, "") + ast.literal_eval(line)
        if fields.get("msgid"):
            texts = [text for name, text in fields.items() if name.startswith("msgstr")]
            found[fields.get("msgctxt", ""), fields["msgid"]] = texts
    return found


def python_sources() -> Iterator[Path]:
    for folder in ("calls", "transferhub"):
        yield from (path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def marked(source: str) -> Iterator[Key]:
    """Every text that a Python source marks for translation."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in CALLS and all(isinstance(each, ast.Constant) for each in node.args[: (CALLS[name][1] or 0) + 1]):
            context, text, _plural = CALLS[name]
            if len(node.args) > text and isinstance(node.args[text].value, str):
                yield (node.args[context].value if context is not None else "", node.args[text].value)


@cache
def all_marked() -> set[Key]:
    found = {key for path in python_sources() for key in marked(path.read_text(encoding="utf-8"))}
    for path in (ROOT / "templates").rglob("*.html"):
        # templatize writes the calls among lines of X, which are no Python
        calls = re.findall(
            r"n?p?gettext\(.*?\)(?= |$)|_\(.*?\)(?= |$)", templatize(path.read_text(encoding="utf-8")), re.M
        )
        for call in calls:
            found |= set(marked(call.replace(",count)", ",1)")))
    return found


def test_the_search_finds_texts_of_code_and_of_templates():
    found = all_marked()
    assert ("", "The caller hung up") in found
    assert ("", "What happened") in found
    assert ("hours", "open") in found
    assert len(found) > 300


def test_every_text_has_a_translation():
    known = entries()
    assert {key for key in all_marked() if not all(known.get(key) or [""])} == set()


def test_nothing_is_translated_that_nobody_shows():
    assert {key for key in entries() if key not in all_marked()} == set()


def test_no_translation_is_a_guess():
    assert ", fuzzy" not in (FOLDER / "django.po").read_text(encoding="utf-8")


def test_the_compiled_catalogue_is_the_written_one():
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for (context, text), texts in entries().items():
        for count, wanted in zip((1, 2), texts, strict=False):
            if len(texts) == 1:
                got = compiled.pgettext(context, text) if context else compiled.gettext(text)
            else:
                got = compiled.ngettext(text, "", count)
            assert got == wanted, text
    assert len([key for key in compiled._catalog if key]) == sum(len(texts) for texts in entries().values())


def test_a_translation_keeps_the_placeholders():
    placeholders = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
    for (_context, text), texts in entries().items():
        wanted = [each for each in placeholders.findall(text) if each != "{name}"]
        for translated in texts:
            own = [each for each in placeholders.findall(translated) if each != "{nome}"]
            assert sorted(own) == sorted(wanted), text


def test_no_text_hides_in_an_f_string_where_makemessages_does_not_look():
    hidden = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_sources()
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(outer, ast.JoinedStr)
        for node in ast.walk(outer)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS
    ]
    assert hidden == []


def test_the_words_of_the_admins_theme_are_portuguese():
    assert all(str(text) in {text for _context, text in entries()} for text in WORDS)
