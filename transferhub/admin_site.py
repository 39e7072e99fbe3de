"""The look of the admin (django-unfold): title, side bar, first page."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _item(title, icon: str, address: str, permission: str = "") -> dict:
    item = {"title": title, "icon": icon, "link": reverse_lazy(address)}
    if not address.startswith("admin:"):
        item["active"] = False  # "/" begins every address
    if permission:
        item["permission"] = lambda request: request.user.has_perm(permission)
    return item


UNFOLD = {
    "SITE_TITLE": "TransferHub",
    "SITE_HEADER": "TransferHub",
    "SITE_SUBHEADER": _("Settings"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "phone_forwarded",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("admin/transferhub.css")],
    "DASHBOARD_CALLBACK": "calls.admin.dashboard.first_page",
    "COLORS": {
        "primary": {
            "50": "#f0fdfa",
            "100": "#ccfbf1",
            "200": "#99f6e4",
            "300": "#5eead4",
            "400": "#2dd4bf",
            "500": "#14b8a6",
            "600": "#0f766e",
            "700": "#115e59",
            "800": "#134e4a",
            "900": "#0f3f3c",
            "950": "#042f2e",
        }
    },
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Every day"),
                "items": [
                    _item(_("Overview"), "home", "admin:index"),
                    _item(_("Transfers page"), "view_list", "console:transfers", "calls.view_transfer"),
                    _item(_("Tickets"), "confirmation_number", "admin:calls_ticket_changelist", "calls.view_ticket"),
                    _item(_("Past transfers"), "history", "admin:calls_transfer_changelist", "calls.view_transfer"),
                ],
            },
            {
                "title": _("Company"),
                "separator": True,
                "items": [
                    _item(_("Departments"), "groups", "admin:calls_department_changelist", "calls.view_department"),
                    _item(_("Extensions"), "call", "admin:calls_extension_changelist", "calls.view_extension"),
                    _item(_("Holidays"), "event_busy", "admin:calls_holiday_changelist", "calls.view_holiday"),
                ],
            },
            {
                "title": _("System"),
                "separator": True,
                "items": [
                    _item(_("Telephone switches"), "dns", "admin:calls_switch_changelist", "calls.view_switch"),
                    _item(_("Programs (API)"), "key", "admin:calls_apiclient_changelist", "calls.view_apiclient"),
                    _item(_("People"), "person", "admin:auth_user_changelist", "auth.view_user"),
                    _item(_("Groups"), "badge", "admin:auth_group_changelist", "auth.view_group"),
                ],
            },
        ],
    },
}
