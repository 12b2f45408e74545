"""Files from other systems: every row in one bucket, the buckets add up, the same file twice changes nothing."""

import csv
import io
import random
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from members.domain import imports
from members.domain.imports import cells
from members.domain.ledger import Actor
from members.models import ConsentEntry, Member, MemberFacts, MembershipEvent, Purchase, Store
from members.phones import keyed_hash, keyed_hasher
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
OWNER = Actor("staff:1")


def table(text: str | bytes) -> imports.Table:
    return imports.read_bytes(text if isinstance(text, bytes) else text.encode())


def import_members(store: Store, text: str | bytes, **more):
    preview = imports.triage_members(table(text), store=store, at=NOON, **more)
    return imports.apply(preview, actor=OWNER, at=NOON)


def import_purchases(store: Store, text: str):
    preview = imports.triage_purchases(table(text), store=store, at=NOON)
    return imports.apply(preview, actor=OWNER, at=NOON)


def buckets(new=0, updated=0, unchanged=0, duplicate=0, error=0) -> dict[str, int]:
    return {"new": new, "updated": updated, "unchanged": unchanged, "duplicate": duplicate, "error": error}


# Members


def test_two_new_members_come_in_silently_and_without_consent(riverside):
    result = import_members(riverside, "member_no,phone\n0001,+8619900000001\n0002,19900000002\n")

    li = Member.objects.get(member_no="0001")
    assert result.buckets == buckets(new=2)
    assert (li.phone, li.home_store, li.language) == ("+8619900000001", riverside, "en")
    assert not li.has_service_consent and not li.has_marketing_consent
    assert MemberFacts.objects.filter(member=li, visits=0).exists()
    assert MembershipEvent.objects.count() == 0 and ConsentEntry.objects.count() == 0


def test_the_same_file_again_changes_nothing(riverside):
    text = "会员号,手机号,姓名,生日,标签\nA1,13800138000,李雷,1990/5/6,VIP；烫发\n"
    import_members(riverside, text)
    before = Member.objects.values().get(member_no="A1")

    assert import_members(riverside, text).buckets == buckets(unchanged=1)
    assert Member.objects.values().get(member_no="A1") == before
    assert (before["name"], before["birthday"], before["tags"]) == ("李雷", date(1990, 5, 6), ["VIP", "烫发"])


def test_new_facts_are_added_and_empty_cells_erase_nothing(riverside, enrol):
    enrol("13800138000", name="Li Lei", tags=["VIP"])

    result = import_members(riverside, "phone,name,gender,tags\n13800138000,,男,Perm;VIP\n")

    li = Member.objects.get(phone="+8613800138000")
    assert result.buckets == buckets(updated=1)
    assert (li.name, li.gender, li.tags) == ("Li Lei", "male", ["VIP", "Perm"])


def test_every_row_ends_in_one_bucket_and_they_add_up(riverside, hilltop, enrol):
    enrol("13800138000", member_no="R1")
    enrol("13900139000", member_no="H1", store=hilltop)

    preview = imports.triage_members(
        table(
            "member_no,phone\n"
            "R1,13800138000\n"  # 2: there already
            "N1,13700137000\n"  # 3: new
            "N1,13700137000\n"  # 4: the same again
            "N1,13600136000\n"  # 5: the same number, another phone
            "R2,13800138000\n"  # 6: same phone as row 2
            "R1,13500135000\n"  # 7: same number as row 2
            "H1,13900139000\n"  # 8: another store's member
            "X1,021 5555 0100\n"  # 9: a landline
            "\n"
            "X2,1.38E+10\n"  # 11: digits lost
        ),
        store=riverside,
        at=NOON,
    )

    assert preview.buckets == buckets(new=1, unchanged=1, duplicate=2, error=5)
    assert sum(preview.buckets.values()) == len(preview.table) == 9
    assert preview.duplicates == {4: 3, 6: 2}
    assert sorted(preview.faults) == [5, 7, 8, 9, 11]
    assert "another store" in preview.faults[8] and "not a mobile" in preview.faults[9]
    assert Member.objects.count() == 2, "a triage stores nothing"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("R9,13800138000", "another number"),
        ("R1,13700137000", "another phone"),
    ],
)
def test_a_file_cannot_move_a_number_to_another_person(riverside, enrol, row, complaint):
    enrol("13800138000", member_no="R1")

    preview = imports.triage_members(table(f"member_no,phone\n{row}\n"), store=riverside, at=NOON)

    assert complaint in preview.faults[2]


class TestConsent:
    FILE = "phone,service_consent,marketing_consent\n13800138000,yes,是\n13700137000,no,\n"

    def test_is_not_read_unless_somebody_attests_the_wording(self, riverside):
        preview = imports.triage_members(table(self.FILE), store=riverside, at=NOON)
        imports.apply(preview, actor=OWNER, at=NOON)

        assert ConsentEntry.objects.count() == 0
        assert "The consent columns were not read" in preview.notes[0]

    def test_is_written_down_with_the_wording_attested(self, riverside):
        import_members(riverside, self.FILE, wording_version="old-till-2024")

        li = Member.objects.get(phone="+8613800138000")
        said = ConsentEntry.objects.filter(member=li).values_list(
            "purpose", "is_given", "wording_version", "source"
        )
        assert li.has_service_consent and li.has_marketing_consent
        assert set(said) == {
            ("service", True, "old-till-2024", "import"),
            ("marketing", True, "old-till-2024", "import"),
        }

    def test_an_old_yes_does_not_undo_a_withdrawal(self, riverside, enrol):
        enrol("13800138000", marketing=False, service=True)

        result = import_members(riverside, self.FILE, wording_version="old")

        assert result.buckets == buckets(new=1, unchanged=1)
        assert not Member.objects.get(phone="+8613800138000").has_marketing_consent

    def test_a_no_takes_back_a_yes_once(self, riverside, enrol):
        enrol("13800138000")
        no = "phone,marketing_consent\n13800138000,no\n"

        assert import_members(riverside, no, wording_version="w").buckets == buckets(updated=1)
        assert import_members(riverside, no, wording_version="w").buckets == buckets(unchanged=1)
        assert not Member.objects.get().has_marketing_consent


# Purchases


@pytest.fixture
def regulars(riverside):
    import_members(riverside, "member_no,phone\nA,13800138000\nB,13700137000\n")
    return riverside


def test_history_counts_in_the_members_facts_and_tells_nobody(regulars):
    result = import_purchases(
        regulars,
        "member_no,date,items,amount\nA,2026-01-02,2,29.33\nA,2026/3/4 18:30,1,10\nB,20260505,1,0.00\n",
    )

    facts = MemberFacts.objects.get(member__member_no="A")
    assert result.buckets == buckets(new=3)
    assert (facts.visits, facts.spend_minor) == (2, 3933)
    assert facts.first_visit_at == datetime(2026, 1, 1, 16, 0, tzinfo=UTC), "midnight in Shanghai"
    assert facts.last_visit_at == datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
    assert MembershipEvent.objects.count() == 0


def test_equal_purchases_of_one_day_are_two_and_stay_two(regulars):
    text = "member_no,date,items,amount\nA,2026-01-02,1,9.77\nA,2026-01-02,1,9.77\n"

    assert import_purchases(regulars, text).buckets == buckets(new=2)
    assert import_purchases(regulars, text).buckets == buckets(unchanged=2)
    assert MemberFacts.objects.get(member__member_no="A").visits == 2


def test_a_longer_export_brings_only_what_is_new(regulars):
    january = "member_no,date,items,amount\nA,2026-01-02,1,9.77\n"
    import_purchases(regulars, january)

    result = import_purchases(regulars, january + "A,2026-02-02,1,12\n")

    assert result.buckets == buckets(new=1, unchanged=1)
    assert MemberFacts.objects.get(member__member_no="A").spend_minor == 2177


def test_a_reference_pays_once(regulars):
    text = "phone,date,amount,ref\n13800138000,2026-01-02,5,K1\n13800138000,2026-01-02,5,K1\n13700137000,2026-01-02,7,K1\n"

    first = imports.triage_purchases(table(text), store=regulars, at=NOON)
    imports.apply(first, actor=OWNER, at=NOON)
    other = imports.triage_purchases(
        table("phone,date,amount,ref\n13800138000,2026-01-02,6,K1\n"), store=regulars, at=NOON
    )

    assert first.buckets == buckets(new=1, duplicate=1, error=1)
    assert other.buckets == buckets(error=1)


def test_of_1000_rows_40_are_broken_960_go_in_and_40_are_told(regulars, tmp_path):
    broken = [
        "A,2026-13-01,1,5.00", "A,tomorrow,1,5.00", "A,2099-01-01,1,5.00", "A,,1,5.00", "Z,2026-01-01,1,5.00",
        ",2026-01-01,1,5.00", "A,2026-01-01,1,-5", "A,2026-01-01,1,10.005", "A,2026-01-01,1,1e9", "A,2026-01-01,x,5",
        "A,2026-01-01,1", "A,2026-01-01,1,5,6", "A,2026-01-01,0,5", "A,2026-01-01,1,", "A,1850-01-01,1,5",
        "=cmd()|A,2026-01-01,1,5", "A,2026-02-30,1,5", "A,2026-01-01,1,NaN", "A,2026-01-01,1,99999999999",
        "A,2026-01-01 25:00,1,5",
    ]  # fmt: skip
    rows = [f"A,2026-01-{day % 28 + 1:02d},1,{day}.50" for day in range(1, 961)] + broken * 2
    random.Random(7).shuffle(rows)
    path = tmp_path / "old till.csv"
    path.write_text("\n".join(["member_no,date,items,amount", *rows]))
    rejects = tmp_path / "rejects.csv"

    call_command("import_purchases", path, store=regulars.name, rejects=rejects, stdout=io.StringIO())

    told = list(csv.DictReader(io.StringIO(rejects.read_text("utf-8-sig"))))
    assert Purchase.objects.count() == 960
    assert len(told) == 40 and all(row["reason"] for row in told)
    assert {int(row["row"]) for row in told} == {n for n, row in enumerate(rows, start=2) if row in broken}
    assert any(row["member_no"] == "'=cmd()|A" for row in told), "no cell of ours is a formula"


def test_corrected_rejects_go_in(regulars):
    preview = imports.triage_purchases(
        table("member_no,date,amount\nA,2026-01-32,5\n"), store=regulars, at=NOON
    )

    result = import_purchases(regulars, preview.rejects().replace("2026-01-32", "2026-01-31"))

    assert result.buckets == buckets(new=1)


# Reading


@pytest.mark.parametrize(
    "content",
    [
        "会员号,手机号,姓名\nA1,13800138000,李雷\n".encode(),
        "会员号,手机号,姓名\r\nA1,13800138000,李雷\r\n".encode("utf-8-sig"),
        "会员号;手机号;姓名\nA1;13800138000;李雷".encode("gb18030"),
        "会员号\t手机号\t姓名\nA1\t13800138000\t李雷\n".encode("utf-16"),
        "sep=;\n会员号;手机号;姓名\nA1;138 0013 8000;李雷\n".encode(),
        '\n\n会员号,手机号,姓名,\n"A1",１３８００１３８０００,李雷,\n,,,\n'.encode(),
    ],
    ids=["utf-8", "bom", "gb18030", "utf-16", "sep", "full-width"],
)
def test_encodings_and_separators(riverside, content):
    assert import_members(riverside, content).buckets == buckets(new=1)
    assert Member.objects.get().name == "李雷"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"\n , \n", "empty"),
        (b"name\nLi Lei\n", "A column is missing"),
        (b"phone,mobile\n1,2\n", "Two columns"),
        (b'phone\n"13800138000\n13900139000\n', "Line 3"),
        (b"phone\n1380013\x008000\n", "not a text file"),
        (b"\xff\xfe\x00", "not a text file"),
        (b"PK\x03\x04 no archive", "spreadsheet cannot be read"),
        (b"\xd0\xcf\x11\xe0....", "old Excel"),
        (b"phone," * 65 + b"\n", "too many columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(riverside, content, complaint):
    with pytest.raises(imports.FileUnreadable, match=complaint):
        import_members(riverside, content)
    assert Member.objects.count() == 0


def test_more_rows_than_the_web_takes_are_refused():
    limits = imports.Limits(bytes_max=10_000, rows_max=3)

    assert len(imports.read_bytes(b"phone\n1\n2\n3\n", limits)) == 3
    with pytest.raises(imports.FileUnreadable, match="more rows"):
        imports.read_bytes(b"phone\n1\n2\n3\n4\n", limits)


def test_a_spreadsheet_is_read_by_its_values(regulars):
    book = openpyxl.Workbook()
    book.active.append(["member_no", "date", "items", "amount"])
    book.active.append(["A", datetime(2026, 1, 2), 2, 29.33])
    book.active.append(["B", "=TODAY()", 1, 5])
    out = io.BytesIO()
    book.save(out)

    preview = imports.triage_purchases(imports.read_bytes(out.getvalue()), store=regulars, at=NOON)

    assert preview.buckets == buckets(new=1, error=1)
    assert "date is missing" in preview.faults[3], "a formula is never worked out"


def test_a_spreadsheet_with_macros_is_refused():
    book = openpyxl.Workbook()
    book.active.append(["phone"])
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"...")

    with pytest.raises(imports.FileUnreadable, match="spreadsheet cannot be read"):
        imports.read_bytes(out.getvalue())


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("1997-01-01", "1996-12-31T16:00:00+00:00"),
        ("1997/1/1", "1996-12-31T16:00:00+00:00"),
        ("19970101", "1996-12-31T16:00:00+00:00"),
        ("1997年1月1日", "1996-12-31T16:00:00+00:00"),
        ("35431", "1996-12-31T16:00:00+00:00"),
        ("35431.5", "1997-01-01T04:00:00+00:00"),
        ("2026-01-02 10:15", "2026-01-02T02:15:00+00:00"),
        ("2026-01-02T10:15:30Z", "2026-01-02T10:15:30+00:00"),
        ("2026-01-02 10:15+02:00", "2026-01-02T08:15:00+00:00"),
        ("２０２６－０１－０２", "2026-01-01T16:00:00+00:00"),
    ],
)
def test_dates_as_people_write_them(riverside, cell, moment):
    assert cells.moment_reader(riverside.zone, NOON)(cell) == moment


@pytest.mark.parametrize(
    "cell", ["02/03/2026", "2026-2-30", "yesterday", "2026", "1997-01-01 24:61", "", "-5"]
)
def test_dates_that_could_mean_anything_are_refused(riverside, cell):
    with pytest.raises(cells.BadCell):
        cells.moment_reader(riverside.zone, NOON)(cell)


@pytest.mark.parametrize(
    ("cell", "minor"),
    [("29.33", "2933"), ("1,000", "100000"), ("￥10", "1000"), ("１００", "10000"), ("0", "0")],
)
def test_amounts(cell, minor):
    assert cells.read_amount(cell, 2) == minor


@pytest.mark.parametrize("start", list("=+-@＝＋－＠") + ["\t", "\r"])
def test_no_rejected_cell_is_a_formula(riverside, start):
    preview = imports.triage_members(table(f'phone,name\n1,"{start}1+1"\n'), store=riverside, at=NOON)

    row = list(csv.reader(io.StringIO(preview.rejects())))[1]
    assert row[3].startswith("'") or start in "\t\r"


def test_the_fast_hash_is_the_hash():
    for key in (b"k", b"k" * 64, b"k" * 65):
        assert keyed_hasher(key)("+8613800138000") == keyed_hash("+8613800138000", key)


# The commands


def test_the_commands_say_what_they_did(riverside, tmp_path: Path):
    path = tmp_path / "members.csv"
    path.write_text("member_no,phone\n1,13800138000\n2,12\n")
    out = io.StringIO()

    call_command("import_members", path, rejects=tmp_path / "no" / "r.csv", stdout=out)

    assert "2 rows: 1 new, 1 not imported" in out.getvalue()
    assert "row 3: This number has too few digits." in out.getvalue()
    assert (tmp_path / "no" / "r.csv").stat().st_mode & 0o777 == 0o600


def test_a_dry_run_stores_nothing(riverside, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("phone\n13800138000\n")

    call_command("import_members", path, dry_run=True, stdout=io.StringIO())

    assert Member.objects.count() == 0


def test_the_store_must_be_said_when_there_are_two(riverside, hilltop, tmp_path):
    with pytest.raises(CommandError, match="“Hilltop”, “Riverside”"):
        call_command("import_members", tmp_path / "m.csv")
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("import_members", tmp_path / "m.csv", store="Hilltop")
