"""Where a fault is marked in a message that is shown."""

import msgspec
import pytest

from gateway.console.raw import pieces

BUNDLE = msgspec.json.encode(
    {
        "entry": [
            {"resource": {"resourceType": "MessageHeader", "status": "a"}},
            {"resource": {"resourceType": "Patient", "status": "b"}},
            {"resource": {"resourceType": "ServiceRequest", "status": "c", "intent": "order"}},
        ]
    }
).decode()
IN_XML = "<entry><resource><Patient>x</Patient></resource></entry><entry><resource> <Task><status>y</status>"


@pytest.mark.parametrize(
    ("text", "detail", "marked"),
    [
        (BUNDLE, "(entry[1].resource: ukendt element)", ['"resource":{"resourceType":"Patient"']),
        (BUNDLE, "(entry[1].resource.status: ukendt kode)", ['"status":"b"']),
        (BUNDLE, "(entry[2].resource.status: ukendt kode)", ['"status":"c"']),
        (BUNDLE, "(entry[0].resource.nothing: mangler)", ['"resource":{"resourceType":"MessageHeader"']),
        (BUNDLE, "(status)", ['"status":"a"', '"status":"b"', '"status":"c"']),
        (BUNDLE, "(entry[9].resource.status: ukendt kode)", ['"status":"a"', '"status":"b"', '"status":"c"']),
        (IN_XML, "(entry[1].resource.status: ukendt kode)", ["<status>y"]),
        (IN_XML, "(entry[1].resource: ukendt element)", ["<resource> <Task>"]),
        ("a\nb\nc", "(linje 2)", ["b"]),
        ("a", "", []),
    ],
)
def test_the_place_that_a_fault_names_is_marked(text: str, detail: str, marked: list[str]) -> None:
    found = pieces(text, detail)
    assert "".join(piece.text for piece in found) == text
    assert [piece.text for piece in found if piece.marked] == marked
