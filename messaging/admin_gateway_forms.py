"""The form of a gateway: what its kind needs and nothing else. Secrets go in and never come out."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from members.models import Store
from members.phones import InvalidPhone, normalize
from messaging.domain.gateways import OPTIONS, Option, is_safe_address, prepare
from messaging.enums import GatewayKind, MessageClass
from messaging.models import Gateway
from messaging.secrets import SecretUnreadable, decrypt_secrets, encrypt_secret, encrypt_secrets

CONNECTED = (GatewayKind.SMPP, GatewayKind.CMPP)  # kinds with a host, a port and a password
KEEP = _("Leave it empty to keep the one there is.")
SMPP_PASSWORD_MAX = 8
SECRET_MIN = 16  # characters of a key that we choose ourselves


def field_name(option: Option) -> str:
    """The name of an option's box: apart from the columns of the gateway."""
    return f"told_{option.name}"


class GatewayForm(forms.ModelForm):
    """What every kind has. `kind_told` is set by `form_for`."""

    kind_told = GatewayKind.SMPP
    kind = forms.ChoiceField(label=_("Kind"), widget=UnfoldAdminSelectWidget)
    classes = forms.MultipleChoiceField(
        label=_("Classes"),
        choices=MessageClass.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("What it may carry. None ticked: every class."),
    )

    class Meta:
        model = Gateway
        fields = (
            "name",
            "kind",
            "sender",
            "window",
            "rate",
            "price_minor",
            "classes",
            "has_receipts",
            "has_inbound",
            "has_long_texts",
            "has_unicode",
            "has_names",
            "is_active",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.kind_told
        if "kind" in self.fields:
            self.fields["kind"].choices = [(kind.value, kind.label)]  # type: ignore[attr-defined]
            self.fields["kind"].initial = kind.value
        for option in OPTIONS[kind]:
            if option.sort != "secret" and field_name(option) in self.fields:
                told = self.instance.options.get(option.name, option.initial)
                self.fields[field_name(option)].initial = told

    def clean_callback_sources(self) -> str:
        """Each word a network."""
        words = str(self.cleaned_data["callback_sources"]).replace(",", " ").split()
        for word in words:
            try:
                ipaddress.ip_network(word, strict=False)
            except ValueError as problem:
                raise forms.ValidationError(
                    _("“%(word)s” is not an address."), params={"word": word}
                ) from problem
        return " ".join(words)

    def clean(self) -> dict[str, Any]:
        """A name as the sender only where phones show it; options by their sort."""
        cleaned = super().clean() or {}
        sender = str(cleaned.get("sender") or "")
        if sender and not sender.lstrip("+").isdigit() and not cleaned.get("has_names", True):
            self.add_error("sender", _("This gateway shows no names: give digits, or tick that it does."))
        for option in OPTIONS[self.kind_told]:
            self._check(option, cleaned)
        return cleaned

    def save(self, commit: bool = True) -> Gateway:
        """Options beside the secrets, these encrypted."""
        told = {option: self.cleaned_data.get(field_name(option)) for option in OPTIONS[self.kind_told]}
        if told:
            self.instance.options = {
                option.name: value
                for option, value in told.items()
                if option.sort != "secret" and value not in (None, "")
            }
            given = {
                option.name: value for option, value in told.items() if option.sort == "secret" and value
            }
            if given:
                self.instance.secret = encrypt_secrets(self._secrets() | given)
        prepare(self.instance)
        return super().save(commit)

    def _check(self, option: Option, cleaned: dict[str, Any]) -> None:
        name = field_name(option)
        value = cleaned.get(name)
        if (
            option.sort == "secret"
            and option.is_required
            and not value
            and option.name not in self._secrets()
        ):
            self.add_error(name, _("This is needed to log in."))
        elif option.sort == "url" and value and not is_safe_address(str(value)):
            self.add_error(name, _("An https address, without a password in it."))
        elif option.name == "secret" and value and len(str(value)) < SECRET_MIN:
            self.add_error(name, _("At least 16 characters."))

    def _secrets(self) -> dict[str, str]:
        try:
            return decrypt_secrets(self.instance.secret)
        except SecretUnreadable:
            return {}


class ConnectedForm(GatewayForm):
    """SMPP and CMPP: an address, a name and a password."""

    password = forms.CharField(
        label=_("Password"),
        max_length=64,
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(render_value=False),
        help_text=KEEP,
    )

    class Meta(GatewayForm.Meta):
        fields = (*GatewayForm.Meta.fields, "host", "port", "system_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("host", "port", "system_id"):
            if name in self.fields:
                self.fields[name].required = True

    def clean_port(self) -> int:
        """1 to 65535; the column also keeps 0, for kinds without one."""
        port = int(self.cleaned_data["port"])
        if port < 1:
            raise forms.ValidationError(_("A number from 1 to 65535."))
        return port

    def clean_password(self) -> str:
        """SMPP has room for eight octets, the carriers of CMPP for more."""
        password = str(self.cleaned_data["password"])
        if self.kind_told == GatewayKind.SMPP and len(password) > SMPP_PASSWORD_MAX:
            raise forms.ValidationError(_("At most eight characters."))
        return password

    def save(self, commit: bool = True) -> Gateway:
        if self.cleaned_data["password"]:
            self.instance.secret = encrypt_secret(self.cleaned_data["password"])
        return super().save(commit)


@lru_cache
def form_for(kind: GatewayKind) -> type[GatewayForm]:
    """The form of one kind, with a box for each of its options."""
    base = ConnectedForm if kind in CONNECTED else GatewayForm
    boxes: dict[str, Any] = {field_name(option): _box(option) for option in OPTIONS[kind]}
    meta = base.Meta
    if kind not in CONNECTED:
        meta = type("Meta", (base.Meta,), {"fields": (*base.Meta.fields, "callback_sources")})
    return type(f"{kind.name.title()}Form", (base,), {"kind_told": kind, "Meta": meta, **boxes})


def _box(option: Option) -> forms.Field:
    said: dict[str, Any] = {
        "label": option.label,
        "required": option.is_required,
        "help_text": option.help_text,
    }
    if option.sort == "secret":
        help_text = format_lazy("{} {}", option.help_text, KEEP) if option.help_text else KEEP
        widget = UnfoldAdminPasswordWidget(render_value=False)
        said |= {"required": False, "help_text": help_text}
        return forms.CharField(max_length=200, strip=True, widget=widget, **said)
    if option.sort == "yes":
        return forms.BooleanField(widget=UnfoldBooleanWidget, **said | {"required": False})
    if option.sort == "choice":
        return forms.ChoiceField(
            choices=option.choices,
            initial=option.initial,
            widget=UnfoldAdminSelectWidget,
            **said | {"required": False},
        )
    if option.sort == "number":
        return forms.IntegerField(min_value=1, max_value=1000, widget=UnfoldAdminIntegerFieldWidget, **said)
    return forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, **said)


class PhoneForm(forms.Form):
    """A number and a store, for the test text."""

    phone = forms.CharField(label=_("Mobile number"), max_length=32, widget=UnfoldAdminTextInputWidget)
    store = forms.ModelChoiceField(
        label=_("Store"), queryset=Store.objects.none(), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, stores: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        self.fields["store"].initial = stores.first()

    def clean_phone(self) -> str:
        """E.164."""
        try:
            return normalize(self.cleaned_data["phone"])
        except InvalidPhone as problem:
            raise forms.ValidationError(_("This is not a mobile number.")) from problem


class WayForm(PhoneForm):
    """Which way would this number go?"""

    message_class = forms.ChoiceField(
        label=_("Class"), choices=MessageClass.choices, widget=UnfoldAdminSelectWidget
    )
    text = forms.CharField(
        label=_("Text"), max_length=1000, required=False, widget=UnfoldAdminTextInputWidget
    )
