"""What a corrected referral changes, in words a team can read: one line for each part that differs. Pure.

The lines hold clinical text: they go into the team's message, never into a log or a receipt.
"""

from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher

from gateway.referral.model import Address, Diagnosis, Party, Referral

#: place of a text → its Danish name
_PLACES: Mapping[str, str] = {
    "Anamnesis": "anamnese",
    "ClinicalReason": "henvisningsårsag",
    "Supplementary": "supplerende oplysninger",
    "Examination": "undersøgelser",
    "Cave": "cave",
    "ActualMedicine": "aktuel medicin",
}
_NOTHING = "intet"


def difference(before: Referral, after: Referral) -> tuple[str, ...]:
    """One line per changed part; empty where nothing that is told has changed."""
    lines = [*_diagnoses(before.diagnoses, after.diagnoses)]
    for name, read in _FIELDS.items():
        old, new = read(before), read(after)
        if old != new:
            lines.append(f"{name}: {old or _NOTHING} → {new or _NOTHING}")
    return (*lines, *_texts(before, after))


def _diagnoses(before: tuple[Diagnosis, ...], after: tuple[Diagnosis, ...]) -> Iterable[str]:
    """Codes where there are codes, else the text; the order tells which is the main one."""
    old, new = [_named(d) for d in before], [_named(d) for d in after]
    if old == new:
        return
    changes = [*(f"{n} tilføjet" for n in new if n not in old), *(f"{n} fjernet" for n in old if n not in new)]
    told = f" ({', '.join(changes)})" if changes else ""
    yield f"Diagnose: {', '.join(old) or _NOTHING} → {', '.join(new) or _NOTHING}{told}"


def _named(diagnosis: Diagnosis) -> str:
    return diagnosis.code or f"«{diagnosis.text}»"


def _texts(before: Referral, after: Referral) -> Iterable[str]:
    for place in dict.fromkeys(t.place for t in (*before.texts, *after.texts)):
        old, new = (_lines(referral, place) for referral in (before, after))
        if old != new:
            yield f"Tekst ({_PLACES.get(place, place)}): {_changed_lines(old, new)}"


def _lines(referral: Referral, place: str) -> list[str]:
    return [line.strip() for t in referral.texts if t.place == place for line in t.text.splitlines() if line.strip()]


def _changed_lines(old: list[str], new: list[str]) -> str:
    parts: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        removed, added = _quoted(old[a:b]), _quoted(new[c:d])
        if removed and added:
            parts.append(f"{removed} → {added}")
        else:
            parts.append(f"{added} tilføjet" if added else f"{removed} fjernet")
    return "; ".join(parts) or "linjeskift ændret"


def _quoted(lines: list[str]) -> str:
    return f"«{' / '.join(lines)}»" if lines else ""


def _address(address: Address) -> str:
    return ", ".join(filter(None, (address.street, address.suburb, address.postcode, address.district)))


def _party(party: Party | None) -> str:
    if party is None:
        return ""
    return ", ".join(filter(None, (party.organisation, party.department, party.unit, party.identifier)))


def _relative(referral: Referral) -> str:
    relative = referral.relative
    return " ".join(filter(None, (relative.given_name, relative.surname, f"({relative.relation})"))) if relative else ""


_FIELDS: Mapping[str, Callable[[Referral], str]] = {
    "Prioritet": lambda r: r.priority or "",
    "Kategori": lambda r: r.category or "",
    "Navn": lambda r: " ".join(filter(None, (r.citizen.given_name, r.citizen.surname))),
    "Adresse": lambda r: _address(r.citizen.address),
    "Telefon": lambda r: ", ".join(phone.number for phone in r.citizen.phones),
    "E-mail": lambda r: r.citizen.email or "",
    "Pårørende": _relative,
    "Henviser": lambda r: ", ".join(filter(None, (r.referrer.name if r.referrer else "", _party(r.sender)))),
    "Kopi til": lambda r: _party(r.answer_cc),
    "Vedhæftet": lambda r: ", ".join(a.description for a in r.attachments),
    "Visitation": lambda r: "; ".join(v.text for v in r.visitations),
}
