"""Every text of the console can be read: WCAG AA, 4.5 to 1, in both themes."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "static/console"
COLOURS = (FOLDER / "colours.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", COLOURS, re.S)
)

GROUNDS = ["ground", "panel", "hover"]
PAIRS = [
    *[(text, ground) for ground in GROUNDS for text in ("text", "quiet", "link", "good", "bad", "mute", "fail")],
    *[(tone, f"{tone}-ground") for tone in ("wait", "ring", "talk", "back", "fail")],
    ("on-accent", "accent"),
]


def luminance(colour: str) -> float:
    def linear(part: str) -> float:
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[n : n + 2]) for n in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_twenty_one_to_one():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("text, ground", PAIRS)
def test_text_stands_out_from_its_ground(theme, text, ground):
    colours = {"light": LIGHT, "dark": DARK}[theme]
    assert contrast(colours[text], colours[ground]) >= 4.5


def test_both_themes_name_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


def test_colours_are_named_in_one_place():
    rules = (FOLDER / "console.css").read_text(encoding="utf-8")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;, ])", rules) == []
