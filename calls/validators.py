"""What may ever reach a FreeSWITCH command. Anything that passes here is safe to be put into one; nothing else is.

Used by models (forms explain), by the API (422) and once more by `calls.switch.wording` (the last gate).
"""

import re
import zoneinfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

EXTENSION = re.compile(r"[0-9A-Za-z_.+*#-]{1,32}\Z")
CALL_UUID = re.compile(r"[0-9A-Za-z@._-]{1,128}\Z")
NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}\Z")  # conference profile, domain, context
MUSIC = re.compile(r"[0-9A-Za-z_./:%(),;=@-]{0,200}\Z")  # a path or a stream, no blank: the command's last argument
_DIALPLAN_PART = r"[0-9A-Za-z_.+*#-]{1,64}"
# "EXT", "EXT XML CONTEXT", or an inline text: applications "app:data" joined by commas or by the delimiter of m:X:
_RETURN_EXTENSION = re.compile(rf"{_DIALPLAN_PART}(?: XML {_DIALPLAN_PART})?\Z")
_RETURN_INLINE = re.compile(r"(?:m:[\^|;]:)?[0-9A-Za-z_.:/=+*#@^|;,-]{1,200} inline\Z")


def check_extension(value: str) -> None:
    if not EXTENSION.match(value):
        raise ValidationError(
            _("Use 1 to 32 letters, digits or the signs _ . + * # - (for example 2001)."), code="extension"
        )


def check_call_uuid(value: str) -> None:
    if not CALL_UUID.match(value):
        raise ValidationError(_("Use 1 to 128 letters, digits or the signs @ . _ -"), code="call_uuid")


def check_name(value: str) -> None:
    if not NAME.match(value):
        raise ValidationError(_("Use 1 to 64 letters, digits or the signs _ . -"), code="name")


def check_music(value: str) -> None:
    if not MUSIC.match(value):
        raise ValidationError(_("Use a path or stream without blanks, for example local_stream://moh."), code="music")


def check_destination(value: str) -> None:
    """Where a caller is sent: never empty, and no blank inside an inline text (FreeSWITCH would hang the caller up)."""
    if not (_RETURN_EXTENSION.match(value) or _RETURN_INLINE.match(value)):
        raise ValidationError(
            _('Write "EXTENSION", "EXTENSION XML CONTEXT" or an inline text without blanks, such as "park: inline".'),
            code="destination",
        )


def check_timezone(value: str) -> None:
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("Unknown time zone (for example America/Sao_Paulo)."), code="timezone")
