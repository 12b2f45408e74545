"""Import in the back office: preview, rejects, confirmation, through the pages themselves."""

import csv
import io
import random
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from members.models import ConsentEntry, Member, MembershipEvent, Purchase
from messaging.models import Message
from tests.crm.admin.test_scope import told

pytestmark = pytest.mark.django_db

CDNOW = settings.BASE_DIR.parent / "shared" / "data" / "cdnow"
UNREADABLE = [
    "A,2026-13-01,1,5.00", "A,tomorrow,1,5.00", "A,2099-01-01,1,5.00", "A,,1,5.00", "Z,2026-01-01,1,5.00",
    ",2026-01-01,1,5.00", "A,2026-01-01,1,-5", "A,2026-01-01,1,10.005", "A,2026-01-01,1,1e9", "A,2026-01-01,x,5",
    "A,2026-01-01,1", "A,2026-01-01,1,5,6", "A,2026-01-01,0,5", "A,2026-01-01,1,", "A,1850-01-01,1,5",
    "=cmd()|A,2026-01-01,1,5", "A,2026-02-30,1,5", "A,2026-01-01,1,NaN", "A,2026-01-01,1,99999999999",
    "A,2026-01-01 25:00,1,5",
]  # fmt: skip


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    """Files wait for their confirmation in a data folder of the test's own."""
    settings.DATA_DIR = tmp_path
    return tmp_path


class Hidden(HTMLParser):
    """The hidden fields of a page's confirmation form."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and "name" in given:
            self.fields[given["name"]] = given.get("value") or ""


def hidden(response) -> dict[str, str]:
    page = Hidden()
    page.feed(told(response))
    return page.fields


def upload(desk, kind, content, store, name="old till.csv", **more):
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
    return desk.post(
        reverse(f"admin:members_{kind}_import"),
        {"import_file": file, "format": "0", "resource": "0", "store": store.pk, **more},
    )


def confirm(desk, kind, preview, **changes):
    return desk.post(
        reverse(f"admin:members_{kind}_process_import"), {**hidden(preview), **changes}, follow=True
    )


def buckets(preview) -> dict[str, int]:
    return dict(preview.context["result"].buckets)


def test_of_1000_rows_40_are_broken(manager, riverside, enrol):
    enrol("13800138000", member_no="A")
    events, texts = MembershipEvent.objects.count(), Message.objects.count()
    rows = [f"A,2026-01-{day % 28 + 1:02d},1,{day}.50" for day in range(1, 961)] + UNREADABLE * 2
    random.Random(7).shuffle(rows)

    preview = upload(manager, "purchase", "\n".join(["member_no,date,items,amount", *rows]), riverside)

    assert buckets(preview) == {"new": 960, "updated": 0, "unchanged": 0, "duplicate": 0, "error": 40}
    assert "1,000 rows for Riverside" in told(preview) and "Not imported: " in told(preview)
    assert Purchase.objects.count() == 0, "a preview stores nothing"

    rejects = manager.post(reverse("admin:members_purchase_import_rejects"), hidden(preview))
    bad = list(csv.DictReader(io.StringIO(rejects.content.decode("utf-8-sig"))))
    assert {int(row["row"]) for row in bad} == {n for n, row in enumerate(rows, start=2) if row in UNREADABLE}
    assert all(row["reason"] for row in bad)
    assert (
        "old%20till-rejected.csv" in rejects["Content-Disposition"]
        or "old till-rejected.csv" in rejects["Content-Disposition"]
    )

    done = confirm(manager, "purchase", preview)
    assert "1,000 rows at Riverside: 960 new, 40 not imported." in told(done)
    assert Purchase.objects.count() == 960
    assert (MembershipEvent.objects.count(), Message.objects.count()) == (events, texts), (
        "history tells nobody"
    )


def test_members_come_in_from_a_spreadsheet(owner, riverside):
    book = openpyxl.Workbook()
    for row in (["会员号", "手机号", "姓名"], ["A1", "13800138000", "李雷"], ["A2", "12", "韩梅梅"]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)

    preview = upload(owner, "member", out.getvalue(), riverside, name="会员.xlsx")
    done = confirm(owner, "member", preview)

    assert buckets(preview)["error"] == 1
    assert "2 rows at Riverside: 1 new, 1 not imported." in told(done)
    assert Member.objects.get().name == "李雷"


@pytest.mark.parametrize(("wording", "entries"), [("", 0), ("2026-11", 1)])
def test_a_consent_is_written_only_when_attested(manager, riverside, wording, entries):
    file = "phone,marketing_consent\n13800138000,yes\n"

    preview = upload(manager, "member", file, riverside, wording_version=wording)
    confirm(manager, "member", preview)

    assert ConsentEntry.objects.count() == entries
    assert ("The consent columns were not read" in told(preview)) is (not wording)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"name\nLi Lei\n", "A column is missing"),
        (b"\xd0\xcf\x11\xe0....", "old Excel"),
        (b'phone\n"13800138000\n', "Line 2 cannot be read"),
        (b"x" * (10 * 2**20 + 1), "larger than allowed"),
    ],
    ids=["empty", "no column", "old excel", "open quote", "too large"],
)
def test_a_file_that_cannot_be_taken_is_said_in_words(manager, riverside, content, complaint):
    answer = upload(manager, "member", content, riverside)

    assert answer.status_code == 200
    assert complaint in told(answer) and "Traceback" not in told(answer)
    assert "confirm_form" not in answer.context


def test_a_foreign_store_is_refused_at_both_steps(manager, riverside, hilltop):
    first = upload(manager, "member", "phone\n13800138000\n", hilltop)
    preview = upload(manager, "member", "phone\n13800138000\n", riverside)

    second = confirm(manager, "member", preview, store=hilltop.pk)

    assert "Select a valid choice" in told(first) and "Hilltop" not in told(first)
    assert "Choose the file again" in told(second)
    assert not Member.objects.exists()


@pytest.mark.parametrize("name", ["../secret_key", "/etc/hostname", "", "0" * 32])
def test_no_other_file_can_be_named(manager, riverside, name):
    preview = upload(manager, "member", "phone\n13800138000\n", riverside)

    for page in ("process_import", "import_rejects"):
        answer = manager.post(
            reverse(f"admin:members_member_{page}"),
            {**hidden(preview), "import_file_name": name},
            follow=True,
        )
        assert "Choose the file again" in told(answer)
    assert not Member.objects.exists()


def test_a_second_confirmation_does_nothing(manager, riverside, data_folder):
    preview = upload(manager, "member", "phone\n13800138000\n", riverside)

    confirm(manager, "member", preview)
    again = confirm(manager, "member", preview)

    assert "Choose the file again" in told(again)
    assert Member.objects.count() == 1
    assert not list((data_folder / "imports" / "waiting").iterdir()), "the file of phones is gone"


def test_an_auditor_and_a_marketer_do_not_import(auditor, riverside):
    assert auditor.get(reverse("admin:members_member_import")).status_code == 403
    assert upload(auditor, "member", "phone\n13800138000\n", riverside).status_code == 403
    assert "import/" not in told(auditor.get(reverse("admin:members_member_changelist")))


@pytest.mark.skipif(not CDNOW.exists(), reason="the CDNOW files are not here")
def test_a_real_history_goes_in_by_the_web(owner, riverside):
    for kind, file in (("member", "members.csv"), ("purchase", "purchases.csv")):
        preview = upload(owner, kind, Path(CDNOW / file).read_bytes(), riverside, name=file)
        done = confirm(owner, kind, preview)
        assert "rows at Riverside" in told(done)

    assert (Member.objects.count(), Purchase.objects.count()) == (2357, 6919)
    assert not Message.objects.exists()
