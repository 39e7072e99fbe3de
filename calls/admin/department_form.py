"""The department's form: what its fields are called, and what must fit together, explained."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from calls.company.rules import PLACEHOLDERS, broken_rules
from calls.models import Department
from calls.models.company import TICKET_OUTCOMES
from calls.words import OUTCOMES


def bounds(name: str) -> tuple[int | None, int | None]:
    """The least and the most that the model allows for a field, None where it does not say."""
    validators = Department._meta.get_field(name).validators
    least = [each.limit_value for each in validators if isinstance(each, MinValueValidator)]
    most = [each.limit_value for each in validators if isinstance(each, MaxValueValidator)]
    return max(least, default=None), min(most, default=None)


class DepartmentForm(forms.ModelForm):
    ticket_on = forms.MultipleChoiceField(
        label=gettext_lazy("Open a ticket when the outcome is"),
        choices=[(value, OUTCOMES[value]) for value in TICKET_OUTCOMES],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("With none of them ticked, callers go back to the menu without a protocol."),
    )

    class Meta:
        model = Department
        exclude: list[str] = []
        widgets = {name: UnfoldAdminTextareaWidget(attrs={"rows": 3, "data-preview": name}) for name in PLACEHOLDERS}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = capfirst(field.label)
            least, most = bounds(name)
            if least is not None and most is not None:
                words = _("%(least)d to %(most)d") % {"least": least, "most": most}
                field.help_text = f"{field.help_text} ({words})" if field.help_text else capfirst(words)
                field.widget.attrs |= {"min": least, "max": most}
        if "is_default" in self.fields and not Department.objects.exclude(pk=self.instance.pk).exists():
            self.fields["is_default"].initial = True

    def clean(self):
        cleaned = super().clean()
        if (
            not cleaned.get("is_default")
            and self.instance.pk
            and Department.objects.get(pk=self.instance.pk).is_default
        ):
            self.add_error(
                "is_default",
                _("One department must be the default. Open the one that is to take its place and tick it there."),
            )
        return cleaned

    def _post_clean(self):
        """After the fields have been put into the instance: the rules between them."""
        super()._post_clean()
        for name, text in broken_rules(self.instance):
            self.add_error(name if name in self.fields else None, ValidationError(text))
