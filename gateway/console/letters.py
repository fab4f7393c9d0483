"""Letters as people read them: subject and text of what came or went, from the bytes in whatever standard."""

import msgspec
from lxml import etree

from gateway.console.case_wording import source_name, with_places
from gateway.mapping.encoding import wrap
from gateway.mapping.medcom import xdis15
from gateway.receive import Entrance, read
from gateway.referral.correspondence import Correspondence
from gateway.referral.letters import Carrier, Outgoing

_TASK = "Task"
_READABLE = frozenset({"XDIS91", "DIS91", "CareCommunication"})
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter says."""

    subject: str
    text: str


def words_of(letter: Outgoing) -> Words | None:
    """What a letter of ours says; None for receipts and for what only machines read."""
    if letter.kind == xdis15.TYPE:
        note = xdis15.decode(etree.fromstring(letter.content, _PARSER))
        return Words(subject="Afslutningsnotat", text=note.text)
    if letter.kind == _TASK:
        return _words_of_task(letter.content)
    if letter.kind in _READABLE:
        bare = msgspec.structs.replace(letter, carrier=Carrier.BARE)
        return words_in(wrap(bare, "0", letter.at))
    return None


def _words_of_task(content: bytes) -> Words:
    """What the team is told in words: each Task's description, once."""
    resources = [entry["resource"] for entry in msgspec.json.decode(content)["entry"]]
    told = dict.fromkeys(r["description"] for r in resources if r["resourceType"] == _TASK)
    return Words(subject="Opgave", text=source_name(with_places("\n\n".join(told))))


def words_in(data: bytes, entrance: Entrance = Entrance.MEDCOM) -> Words | None:
    """What the correspondence in a message says; None where there is none."""
    contents = [letter.content for letter in read(data, entrance, sbdh=True).letters]
    found = [content for content in contents if isinstance(content, Correspondence)]
    return Words(subject=found[0].subject, text=found[0].text) if found else None
