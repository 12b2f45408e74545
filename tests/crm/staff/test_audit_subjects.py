"""An audit row names what it is about in the language of whoever reads it, not of whoever did it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from members.domain import audit
from members.enums import Role
from members.models import Operation, StaffLimit
from tests.conftest import NOON
from tests.crm.staff.conftest import queries_of, text_of


def rows(reader: Client, language: str) -> str:
    reader.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    return text_of(reader.get(reverse("staff:audit_log"))).split("<tbody>")[-1]


def test_a_deed_and_a_limit_are_called_as_the_reader_calls_them(auditor, chen, riverside, loaded_card):
    limit = StaffLimit.objects.create(deed="adjust", role=Role.CASHIER, amount_max=2000)
    paid = Operation.objects.get(kind="recharge")
    with translation.override("zh-hans"):
        for subject in (paid, limit):
            audit.write(actor=chen, verb="changed", subject=subject, store=riverside, at=NOON)
    kept = str(limit)

    assert f"Recharge #{paid.pk}" in rows(auditor, "en") and kept in rows(auditor, "en")
    assert f"充值 #{paid.pk}" in rows(auditor, "zh-hans")


def test_what_is_gone_keeps_the_words_it_was_written_with(auditor, chen, riverside):
    limit = StaffLimit.objects.create(deed="adjust", role=Role.CASHIER, amount_max=2000)
    with translation.override("zh-hans"):
        audit.write(actor=chen, verb="removed", subject=limit, store=riverside, at=NOON)
        kept = str(limit)
    limit.delete()

    assert kept in rows(auditor, "en")


@pytest.mark.parametrize(("language", "said"), [("en", "Staff limits"), ("zh-hans", "员工限额")])
def test_what_is_no_row_has_words_too(auditor, chen, riverside, language, said):
    audit.write(actor=chen, verb="changed", subject=("stafflimit", "Staff limits"), store=riverside, at=NOON)

    assert said in rows(auditor, language)


def test_many_of_a_kind_are_asked_for_at_once(auditor, chen, riverside, loaded_card):
    paid = Operation.objects.get(kind="recharge")
    audit.write(actor=chen, verb="changed", subject=paid, store=riverside, at=NOON)
    one = queries_of(auditor, reverse("staff:audit_log"))
    for operation in Operation.objects.all():
        audit.write(actor=chen, verb="changed", subject=operation, store=riverside, at=NOON)

    assert queries_of(auditor, reverse("staff:audit_log")) == one
