"""``gateway explain``: a dry run. What each letter is, its receipt, the decision with its why; nothing is stored."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import track

from gateway.clocks import system_now
from gateway.commands.comparing import compare_and_tell
from gateway.errors import Fault
from gateway.mapping.decision_json import decision_json
from gateway.mapping.encoding import wrap
from gateway.mapping.explanation import explanation
from gateway.municipality.model import Municipality
from gateway.outbound.envelopes import form_of
from gateway.proof import proved_municipality
from gateway.receive import read, receive
from gateway.referral.inbox import InboxLetter, Known, Outcome
from gateway.referral.letters import Carrier, Channel, Outgoing
from gateway.referral.reading import Reading, ReadLetter
from gateway.referral.workdays import COPENHAGEN

NAME = "explain"
#: from so many files on, a progress bar
_LONG_WORK = 20
_RECEIPTS = ("XCTL02", "XCTL03", "CTL02", "CTL03", "VANSReceipt", "Acknowledgement")
Line = dict[str, Any]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One file, explained."""

    lines: list[Line]
    #: the same for people, in Danish
    texts: list[str]
    outgoing: tuple[Outgoing, ...]
    refused: bool


def command(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE…", exists=True, dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one line of JSON per letter (decision.md §9)")] = False,
    out: Annotated[Path | None, typer.Option(help="write every message that would go out to this folder")] = None,
    received: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"])
    ] = None,
    compare: Annotated[
        str | None, typer.Option(metavar="OLD", help="folder of old tables, or a git reference: which decisions change")
    ] = None,
) -> None:
    """Explain messages: receipt, decision, why. Nothing is stored or sent.

    With --compare and no files, all stored cases are compared.
    """
    files = files or []
    if compare is not None:
        compare_and_tell(compare, files, context.obj(), as_json=as_json)
        return
    if not files:
        raise typer.BadParameter("missing: which files?", param_hint="FILE…")
    names = [file.name for file in files]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise typer.BadParameter(f"inputs of the same base name: {', '.join(double)}")
    settings = context.obj()
    municipality = proved_municipality(settings.municipality)
    moment = received.replace(tzinfo=received.tzinfo or COPENHAGEN) if received else None
    console = Console(stderr=True)
    refused = False
    for file in track(files, "Explaining", console=console, disable=not console.is_terminal or len(files) < _LONG_WORK):
        explained = explain(str(file), file.read_bytes(), municipality, moment, sbdh=settings.sbdh)
        refused = refused or explained.refused
        for line, text in zip(explained.lines, explained.texts, strict=True):
            print(msgspec.json.encode(line).decode() if as_json else text)
        if out is not None:
            write_outgoing(out, file.name, explained.outgoing)
    raise typer.Exit(1 if refused else 0)


def explain(
    name: str, data: bytes, municipality: Municipality, received: datetime | None = None, *, sbdh: bool = False
) -> Explained:
    """Explain one message; ``received`` defaults to the message's own sent time."""
    reading = read(data, sbdh=sbdh)
    outcome = receive(reading, Known(), municipality, received or reading.sent_at or system_now())
    letters = {letter.key[1]: letter for letter in outcome.letters}
    shown: list[ReadLetter | None] = [*reading.letters] or [None]
    lines = [
        _line(name, reading, letter, letters.get(letter.letter_id) if letter else None, outcome) for letter in shown
    ]
    texts = [_in_words(line, letters.get(line["letter_id"] or ""), municipality) for line in lines]
    refused = any(line["receipt"] == "negative" or line["errors"] for line in lines)
    return Explained(lines=lines, texts=texts, outgoing=outcome.outgoing, refused=refused)


def _line(name: str, reading: Reading, letter: ReadLetter | None, inbox: InboxLetter | None, outcome: Outcome) -> Line:
    fault = (inbox.fault if inbox else letter.fault if letter else None) or reading.fault
    verdict = _verdict(reading, letter, fault)
    sent = verdict != "none" and any(o.kind in _RECEIPTS and _says(o, verdict) for o in outcome.outgoing)
    return {
        "file": name,
        "message_type": letter.type if letter else None,
        "version": letter.version or None if letter else None,
        "envelope_id": reading.arrival.envelope_id,
        "letter_id": letter.letter_id or None if letter else None,
        "episode_of_care_id": inbox.episode_id if inbox else None,
        "receipt": verdict,
        "receipt_sent": sent,
        "errors": [{"id": fault.id, "text": fault.text, "medcom_code": fault.row.medcom.value}] if fault else [],
        "decision": decision_json(inbox.decision) if inbox and inbox.decision and not fault else None,
    }


def _verdict(reading: Reading, letter: ReadLetter | None, fault: Fault | None) -> str:
    """``none`` for receipts themselves, and where no sender can be read."""
    if reading.arrival.sender_gln is None or (letter is not None and not letter.is_answered):
        return "none"
    return "negative" if fault else "positive"


def _says(letter: Outgoing, verdict: str) -> bool:
    """Whether this receipt carries that verdict."""
    if letter.kind == "VANSReceipt":
        return (b"<PositiveMessage>" in letter.content) == (verdict == "positive") or verdict == "negative"
    if letter.kind == "Acknowledgement":  # a FHIR message holds one letter, which its one Acknowledgement is about
        return True
    return letter.kind.endswith("CTL03" if verdict == "positive" else "CTL02")


def write_outgoing(folder: Path, name: str, letters: Sequence[Outgoing]) -> None:
    """``<input name>.<nn>.<type>.<xml, edi or json>`` each; drafts that wait for approval end in ``.draft``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, letter in enumerate(sorted(letters, key=_order), start=1):
        draft = ".draft" if letter.draft else ""
        path = folder / f"{name}.{number:02}.{letter.kind}.{form_of(letter)[1]}{draft}"
        envelope_id = letter.letter_id if letter.carrier is Carrier.BARE else letter.message_id
        path.write_bytes(wrap(letter, envelope_id, letter.at))


def _order(letter: Outgoing) -> int:
    """Receipt, letters, teams."""
    if letter.kind in _RECEIPTS:
        return 0
    return 2 if letter.channel is Channel.TEAM else 1


def _in_words(line: Line, inbox: InboxLetter | None, municipality: Municipality) -> str:
    """What a line says, for people."""
    head = f"{line['file']}: {line['message_type'] or 'ukendt'} {line['version'] or ''}".rstrip()
    out = [f"{head}, brev {line['letter_id'] or '–'}, kvittering: {_RECEIPT_WORDS[line['receipt']]}"]
    out += [f"  fejl {error['id']}: {error['text']} ({error['medcom_code']})" for error in line["errors"]]
    if line["decision"] and inbox and inbox.decision:
        told = explanation(inbox.decision, municipality)
        out += [f"  {told.headline} Svar senest {line['decision']['respond_by']}."]
        out += [f"  - {s.text} [{s.rule}; {s.source}]" for s in told.statements]
    return "\n".join(out)


_RECEIPT_WORDS = {"positive": "positiv", "negative": "negativ", "none": "ingen"}
