"""PDUs that others published: the test vectors of gocmpp, an implementation that shares nothing with ours
(github.com/bigwhite/gocmpp: connect_test, submit_test, deliver_test, receipt_test). Octets only.
"""

from messaging.gateways.cmpp.pdus import (
    CONNECT,
    CONNECT_RESP,
    DELIVER,
    DELIVER_RESP,
    SUBMIT,
    SUBMIT_RESP,
    Connect,
    ConnectResponse,
    DeliverMessage,
    MessageResponse,
    Pdu,
    ReceiptContent,
    Submit,
)

SOURCE, SECRET, TIMESTAMP = "900001", "888888", 1021080510
PROOF = bytes.fromhex("90d00c1d517abd0b4f65f6bcf8535d16")
SUBMITTED = Submit(
    ("13500002696",),
    "测试gocmpp submit".encode("utf-16-be"),
    "900001",
    "900001",
    service_id="test",
    fee_terminal_id="13500002696",
    fee_type="02",
    fee_code="10",
    valid_time="151105131555101+",
)
HEARD = DeliverMessage(13052947396898652160, "900001", "13412340000", b"This is a test MO.")

VECTORS = [
    (
        "connect",
        False,
        Pdu(CONNECT, 0x17, Connect(SOURCE, PROOF, 0x21, TIMESTAMP)),
        "00000027 00000001 00000017 393030303031 90d00c1d517abd0b4f65f6bcf8535d16 21 3cdc73be",
    ),
    (
        "connect answer 2.0",
        False,
        Pdu(
            CONNECT_RESP,
            0x17,
            ConnectResponse(0, bytes.fromhex("6c0b846e25bab6daa4ed1c466e0f4bd8"), 0x21),
        ),
        "0000001e 80000001 00000017 00 6c0b846e25bab6daa4ed1c466e0f4bd8 21",
    ),
    (
        "connect answer 3.0",
        True,
        Pdu(
            CONNECT_RESP,
            0x17,
            ConnectResponse(0, bytes.fromhex("7942977274098cf210ab0c16c367bc8d"), 0x30),
        ),
        "00000021 80000001 00000017 00000000 7942977274098cf210ab0c16c367bc8d 30",
    ),
    (
        "submit 2.0",
        False,
        Pdu(SUBMIT, 0x17, SUBMITTED),
        "000000bd 00000004 00000017 0000000000000000 01 01 01 01 74657374000000000000 02"
        "31333530303030323639360000000000000000000000000000".removesuffix("00000000")
        + " 00 00 08 393030303031 3032 313000000000 3135313130353133313535353130312b00"
        " 0000000000000000000000000000000000 393030303031000000000000000000000000000000 01"
        " 313335303030303236393600000000000000000000 1e"
        " 6d4b8bd50067006f0063006d007000700020007300750062006d00690074 0000000000000000",
    ),
    (
        "submit 3.0",
        True,
        Pdu(SUBMIT, 0x17, SUBMITTED),
        "000000e1 00000004 00000017 0000000000000000 01 01 01 01 74657374000000000000 02"
        + " 3133353030303032363936" + "00" * 21 + " 00"
        " 00 00 08 393030303031 3032 313000000000 3135313130353133313535353130312b00"
        " 0000000000000000000000000000000000 393030303031000000000000000000000000000000 01"
        + " 3133353030303032363936" + "00" * 21 + " 00 1e"
        " 6d4b8bd50067006f0063006d007000700020007300750062006d00690074" + "00" * 20,
    ),
    (
        "submit answer 2.0",
        False,
        Pdu(SUBMIT_RESP, 0x17, MessageResponse(12878564852733378560, 0)),
        "00000015 80000004 00000017 b2b9da8000010000 00",
    ),
    (
        "submit answer 3.0",
        True,
        Pdu(SUBMIT_RESP, 0x17, MessageResponse(12878564852733378560, 0)),
        "00000018 80000004 00000017 b2b9da8000010000 00000000",
    ),
    (
        "deliver 2.0",
        False,
        Pdu(DELIVER, 5, HEARD),
        "00000067 00000005 00000005 b525628000010000 393030303031" + "00" * 15 + "00" * 10 + "000000"
        " 3133343132333430303030" + "00" * 10 + " 00 12 5468697320697320612074657374204d4f2e" + "00" * 8,
    ),
    (
        "deliver 3.0",
        True,
        Pdu(DELIVER, 1, HEARD._replace(msg_id=13025908756704198656)),
        "0000007f 00000005 00000001 b4c5530000010000 393030303031" + "00" * 15 + "00" * 10 + "000000"
        " 3133343132333430303030" + "00" * 21 + " 00 00 12 5468697320697320612074657374204d4f2e" + "00" * 20,
    ),
    (
        "deliver answer 2.0",
        False,
        Pdu(DELIVER_RESP, 5, MessageResponse(13052947396898652160, 0)),
        "00000015 80000005 00000005 b525628000010000 00",
    ),
    (
        "deliver answer 3.0",
        True,
        Pdu(DELIVER_RESP, 1, MessageResponse(13025908756704198656, 0)),
        "00000018 80000005 00000001 b4c5530000010000 00000000",
    ),
]  # fmt: skip
RECEIPT = ReceiptContent(
    13025908756704198656, "DELIVRD", "1511120955", "1511120957", "13412340000", 0x12345678
)
RECEIPT_OCTETS = (
    "b4c5530000010000 44454c49565244 31353131313230393535 31353131313230393537"
    " 3133343132333430303030" + "00" * 10 + " 12345678"
)
