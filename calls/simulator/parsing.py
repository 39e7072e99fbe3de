"""How FreeSWITCH takes its command lines apart: quotes, escapes, braces, and the traps in them."""

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def split_words(text: str, limit: int = 0) -> list[str]:
    """Splits at blanks; `'…'` holds blanks together and the quotes are taken off.

    With `limit`, the last word is the rest of the line. An odd apostrophe swallows all blanks behind it, which is how
    a name with an apostrophe in quotes breaks a whole command.
    """
    words: list[str] = []
    rest = text.strip(" ")
    while rest:
        if limit and len(words) == limit - 1:
            words.append(_unquote(rest))
            break
        end = _end_of_word(rest)
        words.append(_unquote(rest[:end]))
        rest = rest[end:].lstrip(" ")
    return words


def _end_of_word(text: str) -> int:
    quoted, position = False, 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == "'":
            quoted = not quoted
        elif text[position] == " " and not quoted:
            return position
        position += 1
    return len(text)


def _unquote(text: str) -> str:
    out: list[str] = []
    quoted, position = False, 0
    while position < len(text):
        char, following = text[position], text[position + 1 : position + 2]
        if char == "\\" and following and (following in "'\"\\" or following in _ESCAPES):
            out.append(_ESCAPES.get(following, following))
            position += 1
        elif char == "'" and (quoted or "'" in text[position + 1 :]):
            quoted = not quoted
        else:
            out.append(char)
        position += 1
    return "".join(out).strip(" ")


def split_at(text: str, delimiter: str) -> list[str]:
    """Splits at a delimiter other than a blank; quotes protect it and are taken off."""
    parts, quoted, start = [], False, 0
    for position, char in enumerate(text):
        if char == "'" and (quoted or "'" in text[position + 1 :]):
            quoted = not quoted
        elif char == delimiter and not quoted:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [_unquote(part) for part in parts]


def take_block(text: str, opening: str, closing: str) -> tuple[dict[str, str], str]:
    """Takes `{a=1,b=2}` off the front of a dial string. Returns the variables and what follows the block.

    A comma in a value splits it and a closing brace ends the block, whatever was meant; `^^:` names another delimiter.
    """
    variables: dict[str, str] = {}
    while text.startswith(opening):
        end = _closing(text, opening, closing)
        if end < 0:
            break
        block, text = text[1:end], text[end + 1 :].lstrip(" ")
        delimiter = ","
        if block.startswith("^^") and len(block) > 2:
            delimiter, block = block[2], block[3:]
        for pair in split_at(block, delimiter):
            name, equals, value = pair.partition("=")
            if equals:
                variables[name.strip()] = value
    return variables, text


def _closing(text: str, opening: str, closing: str) -> int:
    depth = 0
    for position, char in enumerate(text):
        if char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return position
    return -1


def atoi(text: str) -> int:
    """C's atoi: leading digits, else 0. The reason why `unmute <uuid>` hits the wrong person."""
    digits = ""
    for char in text.strip():
        if not char.isdigit():
            break
        digits += char
    return int(digits or 0)


def inline_actions(text: str) -> list[tuple[str, str]]:
    """`app:data,app:data`, or `m:^:app:data^app:data` with another delimiter. Returns (application, data) pairs.

    A comma inside the data splits it as well: `flags{mute,moderator}` loses everything behind `mute`.
    """
    delimiter = ","
    if len(text) >= 4 and text.startswith("m:") and text[3] == ":":
        delimiter, text = text[2], text[4:]
    pairs = (part.partition(":") for part in split_at(text, delimiter))
    return [(application.strip(" "), data) for application, _, data in pairs]
