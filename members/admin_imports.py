"""Import in the admin: choose a file → every row in one bucket → confirm. Rows are judged by members.domain.imports."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path
from typing import Any

from constance import config
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from import_export.admin import ImportMixin
from import_export.formats.base_formats import Format
from import_export.forms import ConfirmImportForm
from import_export.tmp_storages import BaseStorage
from unfold.contrib.import_export.forms import ImportForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from members.admin_scope import reach_of, stores_of
from members.domain import imports
from members.domain.ledger import Actor
from members.enums import Role
from members.models import Store
from members.resources import TriageResult

IMPORTERS = (Role.MANAGER, Role.OWNER)
_STASHED = re.compile(r"[0-9a-f]{32}", re.ASCII)
_KEPT_SECONDS = 24 * 3600


class TableFile(Format):
    """CSV in any of its dialects, or XLSX; read by our own reader, which finds the encoding out."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return "CSV, XLSX"

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> imports.Table:
        return imports.read_bytes(in_stream, imports.BY_WEB)


class Stash(BaseStorage):
    """The file between preview and confirmation: in the data folder, under a name nobody can guess, for a day."""

    def save(self, data: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old(self.folder)
        self.name = uuid.uuid4().hex
        self._path.touch(mode=0o600)
        self._path.write_bytes(data)

    def read(self) -> bytes:
        """Raises FileNotFoundError once it was taken or a day has passed."""
        return self._path.read_bytes()

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    @property
    def folder(self) -> Path:
        return settings.DATA_DIR / "imports" / "waiting"

    @property
    def _path(self) -> Path:
        return self.folder / self.name


def _forget_old(folder: Path) -> None:
    oldest = time.time() - _KEPT_SECONDS
    for waiting in folder.iterdir():
        if waiting.stat().st_mtime < oldest:
            waiting.unlink(missing_ok=True)


class UploadForm(ImportForm):
    """A file and the store it is for."""

    store = forms.ModelChoiceField(
        Store.objects.none(),
        label=gettext_lazy("Store"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "Everything in the file goes to this store. History is never texted to anybody."
        ),
    )
    field_order = ("store", "import_file")

    def __init__(self, *args: Any, stores: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        if len(stores) == 1:
            self.fields["store"].initial = stores[0]
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].help_text = _("CSV or XLSX with a header row, at most 10 MB.")
        self.fields["import_file"].widget.attrs["accept"] = ".csv,.txt,.tsv,.xlsx"

    def clean_import_file(self) -> Any:
        upload = self.cleaned_data["import_file"]
        if upload.size > imports.BY_WEB.bytes_max:
            raise forms.ValidationError(_("The file is larger than allowed. Split it."))
        return upload


class MemberUploadForm(UploadForm):
    """The same, with the attestation behind the file's consent columns."""

    wording_version = forms.CharField(
        label=gettext_lazy("Consent wording"),
        max_length=32,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wording_version"].help_text = _(
            "Only if the file says who agreed to texts: with a wording version, for example %(now)s, you attest "
            "that everybody with a yes agreed to that wording. Left empty, the consent columns are not read."
        ) % {"now": config.CONSENT_WORDING}


class ConfirmForm(ConfirmImportForm):
    """What was previewed, once more; the store is checked again."""

    store = forms.ModelChoiceField(Store.objects.none(), widget=forms.HiddenInput)
    wording_version = forms.CharField(max_length=32, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, stores: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]

    def clean_import_file_name(self) -> str:
        name = self.cleaned_data["import_file_name"]
        if not _STASHED.fullmatch(name):
            raise forms.ValidationError(_("Choose the file again."))
        return name

    def clean_format(self) -> str:
        return "0"


class TriagedImportMixin(ImportMixin):
    """Import-export's pages over the triage. Managers and owners, for their own stores; a superuser for all."""

    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    tmp_storage_class = Stash
    import_template_name = "admin/imports/import.html"
    skip_admin_log = True
    from_encoding = None

    def has_import_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).may_anywhere(IMPORTERS)

    def get_import_formats(self) -> list[type[Format]]:
        return [TableFile]

    def get_resource_index(self, form: Any) -> int:
        return 0

    def get_urls(self) -> list[Any]:
        name = "{}_{}_import_rejects".format(*self.get_model_info())
        view = self.admin_site.admin_view(self.download_rejects)  # type: ignore[attr-defined]
        return [path("import/rejects/", view, name=name), *super().get_urls()]

    def get_import_form_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_import_form_kwargs(request), "stores": stores_of(request, IMPORTERS)}

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        kwargs = super().get_confirm_form_kwargs(request, import_form)
        return {**kwargs, "stores": stores_of(request, IMPORTERS)}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            initial |= {
                "store": import_form.cleaned_data["store"],
                "wording_version": import_form.cleaned_data.get("wording_version", ""),
            }
        return initial

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """Who imports, for which store, when; nothing while the empty form is shown."""
        form = kwargs.get("form")
        if form is None or not form.is_bound or not form.is_valid():
            return {}
        told = {"store": form.cleaned_data["store"], "actor": _actor(request), "at": now()}
        if issubclass(self.import_form_class, MemberUploadForm):
            told["wording_version"] = form.cleaned_data["wording_version"]
        return told

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rejects = reverse("admin:{}_{}_import_rejects".format(*self.get_model_info()))
        return {"rejects_url": rejects, "bucket_words": bucket_words()}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        told = e.message if isinstance(e, imports.FileUnreadable) else _("The file cannot be read.")
        form.add_error("import_file", str(told))

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Put the sound rows in. A file already taken, or a form not of ours, starts again with a plain word."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if not self.create_confirm_form(request).is_valid():
            return self._start_again(request)
        try:
            return super().process_import(request, **kwargs)
        except (FileNotFoundError, imports.FileUnreadable):
            return self._start_again(request)

    @method_decorator(require_POST)
    def download_rejects(self, request: HttpRequest) -> HttpResponseBase:
        """The rows that do not go in, with the reasons, to correct and import again."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        if not form.is_valid():
            return self._start_again(request)
        try:
            content = Stash(name=form.cleaned_data["import_file_name"]).read()
        except FileNotFoundError:
            return self._start_again(request)
        resource = self.get_import_resource_classes(request)[0](
            **self.get_import_resource_kwargs(request, form=form)
        )
        result = resource.import_data(imports.read_bytes(content), dry_run=True)
        stem = Path(form.cleaned_data["original_file_name"]).stem or "import"
        answer = HttpResponse(
            result.preview.rejects().encode("utf-8-sig"), content_type="text/csv; charset=utf-8"
        )
        answer.headers["Content-Disposition"] = content_disposition_header(True, f"{stem}-rejected.csv")
        return answer

    def add_success_message(self, result: TriageResult, request: HttpRequest) -> None:
        words = bucket_words()
        told = ", ".join(
            f"{intcomma(count)} {words[bucket]}" for bucket, count in result.buckets.items() if count
        )
        messages.success(
            request,
            _("%(rows)s rows at %(store)s: %(told)s.")
            % {"rows": intcomma(result.total_rows), "store": result.preview.store, "told": told},
        )

    def _start_again(self, request: HttpRequest) -> HttpResponse:
        messages.warning(request, _("This preview is no longer there. Choose the file again."))
        return HttpResponseRedirect(reverse("admin:{}_{}_import".format(*self.get_model_info())))


def bucket_words() -> dict[str, str]:
    """The buckets as a person calls them, in their order."""
    return {
        "new": _("new"),
        "updated": _("updated"),
        "unchanged": _("already there"),
        "duplicate": _("twice in the file"),
        "error": _("not imported"),
    }


def _actor(request: HttpRequest) -> Actor:
    return Actor(scope=f"staff:{request.user.pk}", staff_id=request.user.pk)
