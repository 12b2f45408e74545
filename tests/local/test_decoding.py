"""What the handset shows for the bytes it gets, and the bytes it sends for what is typed."""

import pytest

from crm.local.simulator.decoding import Part, read_text, split_header, write_reply


@pytest.mark.parametrize(
    ("body", "data_coding", "shown"),
    [
        (b"Hello", 0, "Hello"),
        (b"\x00\x01 \x1be5", 0, "@£ €5"),
        ("余额 500 元".encode("utf-16-be"), 8, "余额 500 元"),
        ("🎂".encode("utf-16-be"), 8, "🎂"),
        ("退订".encode("gbk"), 15, "退订"),
        (b"caf\xe9", 3, "café"),
        (b"\x01\xff", 4, "01 ff"),
        (b"\xff", 0, "\N{REPLACEMENT CHARACTER}"),
        (b"\xd8", 8, "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_handset_shows_what_was_encoded(body: bytes, data_coding: int, shown: str) -> None:
    assert read_text(body, data_coding) == shown


@pytest.mark.parametrize(
    ("body", "esm_class", "part"),
    [
        (b"\x05\x00\x03\x07\x02\x01Hi", 0x40, Part(b"Hi", 7, 2, 1)),
        (b"\x06\x08\x04\x01\x00\x03\x03Hi", 0x40, Part(b"Hi", 256, 3, 3)),
        (b"\x05\x00\x03\x07\x02\x01Hi", 0, Part(b"\x05\x00\x03\x07\x02\x01Hi")),
        (b"\x05\x00\x03\x07\x02\x03Hi", 0x40, Part(b"Hi")),
        (b"\x09broken", 0x40, Part(b"\x09broken")),
        (b"", 0x40, Part(b"")),
    ],
)
def test_the_header_says_which_part_it_is(body: bytes, esm_class: int, part: Part) -> None:
    assert split_header(body, esm_class) == part


@pytest.mark.parametrize(
    ("typed", "data_coding", "parts"),
    [
        ("STOP", 0, 1),
        ("x" * 160, 0, 1),
        ("x" * 161, 0, 2),
        ("[" * 81, 0, 2),
        ("余" * 70, 8, 1),
        ("余" * 71, 8, 2),
    ],
)
def test_a_reply_is_cut_as_a_phone_cuts_it(typed: str, data_coding: int, parts: int) -> None:
    sent = write_reply(typed, reference=9)

    assert [coding for _, coding, _ in sent] == [data_coding] * parts
    read = [split_header(body, esm_class) for body, _, esm_class in sent]
    assert read_text(b"".join(part.body for part in read), data_coding) == typed
