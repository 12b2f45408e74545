"""The form of a text: its class and event once, its wordings as often as one likes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.refusals import Refused
from messaging.domain import previews, texts
from messaging.enums import MessageClass
from messaging.models import Template

LANGUAGES = {"text_en": "en", "text_zh": "zh-hans"}
_FALLBACKS = {"text_en": "there", "text_zh": "顾客"}


class TextForm(forms.Form):
    """Class and event are chosen when a text is new; a changed wording becomes a new version."""

    name = forms.CharField(label=_("Name"), max_length=80)
    message_class = forms.ChoiceField(label=_("Class"), choices=MessageClass.choices)
    event_type = forms.ChoiceField(label=_("Event"), required=False)
    text_en = forms.CharField(
        label=_("English"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )
    text_zh = forms.CharField(
        label=_("Chinese"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4, "lang": "zh-Hans"}),
    )

    def __init__(self, data: Any = None, *, template: Template) -> None:
        super().__init__(data)
        self.template = template
        self.newest = newest_texts(template)
        self.fields["event_type"].choices = previews.event_choices()  # type: ignore[attr-defined]
        self.fields["name"].initial = template.name
        self.fields["message_class"].initial = template.message_class
        self.fields["event_type"].initial = template.event_type
        for name, language in LANGUAGES.items():
            self.fields[name].initial = self.newest.get(language, "")
        if template.pk:
            self.fields["message_class"].disabled = self.fields["event_type"].disabled = True

    @property
    def typed(self) -> dict[str, str]:
        """What stands in each wording now."""
        return {name: str(self[name].value() or "") for name in LANGUAGES}

    @property
    def changed_wordings(self) -> dict[str, str]:
        """The wordings that are new or differ from the newest version, by language."""
        written = {language: self.cleaned_data.get(name, "").strip() for name, language in LANGUAGES.items()}
        return {
            language: text
            for language, text in written.items()
            if text and text != self.newest.get(language, "")
        }

    def as_template(self) -> Template:
        """The template as it is typed, not saved: what its wordings are judged by."""
        if self.template.pk:
            return self.template
        wanted = str(self["message_class"].value() or "")
        message_class = wanted if wanted in MessageClass.values else MessageClass.NOTIFICATION
        return Template(
            message_class=message_class,
            event_type=str(self["event_type"].value() or ""),
            store=self.template.store,
        )

    def clean(self) -> dict[str, Any]:
        """Each changed wording is judged as it would be when saved; what is wrong is said beside it."""
        cleaned = super().clean() or {}
        judged = self.as_template()
        if not any(cleaned.get(name) for name in LANGUAGES):
            self.add_error("text_en", _("Write the text first."))
        for name, language in LANGUAGES.items():
            text = cleaned.get(name, "").strip()
            if text and text != self.newest.get(language, ""):
                try:
                    texts.check_text(judged, text)
                except Refused as refusal:
                    self.add_error(name, str(refusal.message))
        return cleaned

    def chips(self) -> dict[str, list[dict[str, str]]]:
        """The placeholders each wording may use, as chips; a name comes with other words for who has none."""
        declared = texts.placeholders_of(self.as_template())
        return {
            field: [
                {
                    "label": str(one.label),
                    "insert": f"{{{name}|{_FALLBACKS[field]}}}" if one.kind == "name" else f"{{{name}}}",
                    "sample": str(one.sample),
                }
                for name, one in declared.items()
            ]
            for field in LANGUAGES
        }


def newest_texts(template: Template) -> dict[str, str]:
    """The newest wording of each language."""
    if template.pk is None:
        return {}
    return dict(template.versions.order_by("number").values_list("language", "text"))
