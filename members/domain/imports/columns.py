"""Which column of a stranger's file is which of our fields, by the names people give them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from members.domain.imports.reading import FileUnreadable

MEMBER_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "phone": (
        "phone",
        "mobile",
        "手机号",
        "phone_number",
        "mobile_phone",
        "cell",
        "tel",
        "手机",
        "手机号码",
        "电话",
        "联系电话",
    ),
    "member_no": (
        "member_no",
        "会员号",
        "member",
        "member_number",
        "member_id",
        "会员编号",
        "会员卡号",
        "卡号",
    ),
    "name": ("name", "姓名", "full_name", "会员姓名", "客户姓名"),
    "birthday": ("birthday", "生日", "birth_date", "date_of_birth", "dob", "出生日期"),
    "gender": ("gender", "性别", "sex"),
    "language": ("language", "语言", "lang"),
    "tags": ("tags", "标签", "tag", "labels"),
    "service_consent": ("service_consent", "服务短信", "service_texts", "同意服务短信"),
    "marketing_consent": ("marketing_consent", "营销短信", "marketing_texts", "marketing", "同意营销短信"),
}
PURCHASE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "member_no": MEMBER_COLUMNS["member_no"],
    "phone": MEMBER_COLUMNS["phone"],
    "date": ("date", "日期", "datetime", "time", "at", "消费日期", "消费时间", "purchase_date", "时间"),
    "items": ("items", "件数", "quantity", "qty", "数量"),
    "amount": ("amount", "金额", "total", "消费金额", "实付金额", "price"),
    "ref": ("ref", "reference", "单号", "order_no", "order_id", "receipt_no", "订单号", "小票号"),
}


def find_columns(
    header: Sequence[str], names: Mapping[str, Sequence[str]], required: Sequence[Sequence[str]]
) -> dict[str, int]:
    """Our field → place in the row. Of each group in `required` one column must be there.

    Columns we do not know are left alone. Raises FileUnreadable naming what is missing or there twice.
    """
    fields = {name: field for field, known in names.items() for name in known}
    found: dict[str, int] = {}
    for place, title in enumerate(header):
        field = fields.get(_plain(title))
        if field in found:
            message = _("Two columns say the same: “%(one)s” and “%(other)s”. Keep one.")
            raise FileUnreadable(str(message) % {"one": header[found[field]], "other": title})
        if field:
            found[field] = place
    for group in required:
        if not any(field in found for field in group):
            wanted = ", ".join(name for field in group for name in names[field][:3])
            message = _("A column is missing. Name one of them: %(names)s.")
            raise FileUnreadable(str(message) % {"names": wanted}, missing=list(group))
    return found


def _plain(title: str) -> str:
    return re.sub(r"[\s\-_]+", "_", unicodedata.normalize("NFKC", title).strip().casefold())
