"""The project's schemas against MedCom's own: the same verdict on examples, systematic sweeps and seeded mutants."""

import json
import re
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import FrozenInstanceError
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import etree

from gateway.mapping.medcom import schema
from gateway.mapping.medcom.schema import MAX_VIOLATIONS, SCHEMA_FILES, Violation, compiled, violations
from tests.mapping.medcom.mutation import LENGTHS, VALUES, XSI, gaps, mutants, path_of, removals, repetitions, texts
from tests.mapping.medcom.specimens import REP, TYPES, VANS

XSD = "{http://www.w3.org/2001/XMLSchema}"
FOLDER = Path(str(files("gateway.mapping.medcom"))) / "schemas"
MUTANTS = 1000
every_type = pytest.mark.parametrize("name", TYPES)


@cache
def oracle(shared: Path, namespace: str) -> etree.XMLSchema:
    """MedCom's own schema of a namespace."""
    version = "/".join(namespace.strip("/").split("/")[-3:])
    path = "vans/VANSEnvelope-1.0.4.xsd" if namespace == VANS else f"{version}/EMessage.xsd"
    return etree.XMLSchema(etree.parse(str(shared / "data" / "medcom" / "xsd" / path)))


class Comparison:
    """Counts verdicts, and collects the documents that the two schemas disagree on."""

    def __init__(self, shared: Path, namespace: str) -> None:
        self.ours, self.theirs = compiled(namespace), oracle(shared, namespace)
        self.verdicts: Counter[bool] = Counter()
        self.meant = 0
        self.differences: list[str] = []

    def judge(self, label: str, root: etree._Element) -> None:
        ours, theirs = self.ours.validate(root), self.theirs.validate(root)
        self.verdicts[theirs] += 1
        if ours != theirs:
            log = self.theirs.error_log if ours else self.ours.error_log
            reasons = [entry.message for entry in log][:2]
            sober = without_liberties(root)
            if self.ours.validate(sober) == self.theirs.validate(sober):
                self.meant += 1
            else:
                self.differences.append(f"{label}: ours {ours}, theirs {theirs}: {reasons}")

    def close(self, name: str) -> None:
        counts = f"{self.verdicts[True]} valid, {self.verdicts[False]} invalid, {len(self.differences)} differences"
        sys.stdout.write(f"{name}: {counts}, {self.meant} meant\n")
        assert not self.differences, "\n".join(self.differences[:20])
        assert self.verdicts[True]
        assert self.verdicts[False]


def without_liberties(root: etree._Element) -> etree._Element:
    """The document without the two things that the schemas are meant to judge differently; there are no more.

    All elements of MedCom's schemas are global, so that they are checked in Local_Elements too; ours are global only
    where a letter or an envelope begins. And MedCom's types have names of their own, which xsi:type can choose.
    """
    copy = deepcopy(root)
    for local in copy.iterchildren("{*}Local_Elements"):
        for child in list(local):
            local.remove(child)
    for node in copy.iter("*"):
        node.attrib.pop(f"{XSI}type", None)
    return copy


def test_the_two_differences_that_are_meant(shared: Path) -> None:
    root, namespace = specimen()
    local = etree.SubElement(root, f"{{{namespace}}}Local_Elements")
    etree.SubElement(local, f"{{{namespace}}}OrganisationName")
    assert (compiled(namespace).validate(root), oracle(shared, namespace).validate(root)) == (True, False)
    root, _ = specimen()
    next(root.iter(f"{{{namespace}}}Anamnesis")).set(f"{XSI}type", "FormattedTextType")
    assert (compiled(namespace).validate(root), oracle(shared, namespace).validate(root)) == (False, True)


def test_every_schema_compiles_once_from_local_files() -> None:
    included: set[str] = set()
    for path in FOLDER.iterdir():
        root = etree.parse(str(path)).getroot()
        places = {node.get("schemaLocation") for node in root.iter(f"{XSD}include", f"{XSD}import", f"{XSD}redefine")}
        assert all("/" not in place and (FOLDER / place).is_file() for place in places), path
        assert SCHEMA_FILES.get(root.get("targetNamespace")) == (
            path.name if "targetNamespace" in root.attrib else None
        )
        assert "Written for this project from MedCom's published" in " ".join(path.read_text("utf-8").split()), path
        included |= places
    assert included | set(SCHEMA_FILES.values()) == {path.name for path in FOLDER.iterdir()}
    assert all(compiled(namespace) is compiled(namespace) for namespace in SCHEMA_FILES)


def test_no_schema_for_an_unknown_namespace() -> None:
    with pytest.raises(KeyError):
        compiled("http://rep.oio.dk/medcom.dk/xml/schemas/2019/03/31/")
    with pytest.raises(KeyError):
        violations(etree.Element("Emessage"), "urn:x")
    with pytest.raises(TypeError):
        SCHEMA_FILES["urn:x"] = "x"  # type: ignore[index]


def messages(path: Path) -> Iterator[tuple[Path, etree._Element]]:
    """The message in a file and, when it is a network envelope, its payload."""
    root = etree.parse(str(path)).getroot()
    yield path, root
    for message in root.iterchildren(f"{{{VANS}}}Message"):
        if message.findtext(f".//{{{VANS}}}Format") == "XML":
            yield path, etree.fromstring(b64decode(message.findtext(f"{{{VANS}}}Data")))


def test_examples_get_the_verdict_of_medcoms_schema(shared: Path, subtests: pytest.Subtests) -> None:
    known = {etree.QName(letter).localname for kind in TYPES.values() for letter in kind.documents[0]}
    paths = sorted((shared / "data" / "medcom" / "examples").rglob("*.xml"))
    assert len(paths) >= 20
    for path, root in chain.from_iterable(map(messages, paths)):
        namespace = etree.QName(root).namespace
        letters = {etree.QName(node).localname for node in root.iterchildren("*") if namespace != VANS}
        with subtests.test(f"{path.name} {etree.QName(root).localname}"):
            if namespace not in SCHEMA_FILES or letters - known - {"Local_Elements"}:
                assert namespace not in SCHEMA_FILES or violations(root, namespace)
                pytest.skip(f"{path.name}: outside the catalogue, so not valid under ours: {sorted(letters)}")
            assert (violations(root, namespace) == ()) == oracle(shared, namespace).validate(root)


@every_type
def test_specimens_are_valid_and_leave_no_element_out(name: str, shared: Path) -> None:
    """In every gap both schemas expect the same elements, and each of them stands somewhere in the specimens."""
    namespace = TYPES[name].namespace
    ours, theirs = compiled(namespace), oracle(shared, namespace)
    expected: dict[str, set[str]] = {}
    present: dict[str, set[str]] = {}
    for root in TYPES[name].documents:
        assert theirs.validate(root)
        assert violations(root, namespace) == ()
        for node in root.iterdescendants("*"):
            present.setdefault(path_of(node.getparent()), set()).add(etree.QName(node).localname)
        # Directly below Emessage MedCom's schema expects letters outside the catalogue too.
        for parent in (parent for parent in gaps(root) if path_of(parent) != "Emessage"):
            assert not ours.validate(root)
            assert not theirs.validate(root)
            assert expectation(ours) == expectation(theirs), path_of(parent)
            expected.setdefault(path_of(parent), set()).update(expectation(ours))
    for path, names in expected.items():
        assert names <= present.get(path, set()), path


def expectation(compared: etree.XMLSchema) -> set[str]:
    return set(re.findall(r"\}(\w+)", next(iter(compared.error_log)).message.partition("Expected is")[2]))


@every_type
def test_each_element_missing_or_repeated(name: str, shared: Path) -> None:
    compared = Comparison(shared, TYPES[name].namespace)
    for root in TYPES[name].documents:
        for label in removals(root):
            compared.judge(label, root)
        for label in repetitions(root, 101 if name.startswith("XCTL") else 12):
            compared.judge(label, root)
    compared.close(name)


@every_type
def test_each_text_at_each_length_and_in_odd_forms(name: str, shared: Path) -> None:
    compared = Comparison(shared, TYPES[name].namespace)
    seen: set[str] = set()
    for root in TYPES[name].documents:
        for label, _ in texts(root, (*LENGTHS, *VALUES), seen):
            compared.judge(label, root)
    compared.close(name)


@every_type
def test_each_published_code_in_each_coded_element(name: str, shared: Path) -> None:
    compared = Comparison(shared, TYPES[name].namespace)
    codes = (*published_codes(shared), "fnx", "docx", "ALDB04", "Akut")
    coded: set[str] = set()
    tried: set[str] = set()
    for root in TYPES[name].documents:
        for label, node in texts(root, ("Stranger",), tried):
            compared.judge(label, root)
            refused_for = {entry.type_name for entry in compared.theirs.error_log}
            if path_of(node) not in coded and "SCHEMAV_CVC_ENUMERATION_VALID" in refused_for:
                coded.add(path_of(node))
                for code in codes:
                    node.text = code
                    compared.judge(f"{path_of(node)} = {code}", root)
    assert len(coded) >= 2
    compared.close(name)


@cache
def published_codes(shared: Path) -> tuple[str, ...]:
    folder = shared / "data" / "medcom" / "codes"
    rows = (folder / "medical_speciality.csv").read_text("utf-8").splitlines()
    versions = json.loads((folder / "enumerations.json").read_text("utf-8")).values()
    found = {code for version in versions for codes in version.values() for code in codes}
    return tuple(sorted(found | {row.partition(",")[0] for row in rows}))


@every_type
def test_mutants_get_the_verdict_of_medcoms_schema(name: str, shared: Path) -> None:
    compared = Comparison(shared, TYPES[name].namespace)
    for label, root in mutants(name, MUTANTS):
        compared.judge(label, root)
    compared.close(name)
    assert compared.verdicts[True] >= MUTANTS * 0.1
    assert compared.verdicts[False] >= MUTANTS * 0.3
    assert compared.meant <= MUTANTS * 0.03


# --- violations -------------------------------------------------------------------------------------------------------
@cache
def public_words() -> str:
    """What a violation may say although a message may say it too: names, codes and patterns of the schemas."""
    roots = [etree.parse(str(path)).getroot() for path in FOLDER.iterdir()]
    tags = [f"{XSD}{tag}" for tag in ("element", "attribute", "enumeration", "pattern", "simpleType", "complexType")]
    return " ".join(word for root in roots for node in root.iter(*tags) for word in node.attrib.values())


def secrets(root: etree._Element) -> set[str]:
    """All that the message itself says: texts, attribute values, remarks, and names that no schema knows."""
    said = {text.strip() for node in root.iter() for text in (node.text, node.tail) if text}
    said |= {value.strip() for node in root.iter("*") for value in node.attrib.values()}
    said = {text for text in said if len(text) >= 4 and text not in public_words()}
    return said | {"2512489996", "251248NAB1", "Berggren", "Nancy", "Stranger", "urn:x", "cpr"}


def assert_discreet(label: str, root: etree._Element, namespace: str) -> None:
    found = violations(root, namespace)
    assert (found == ()) == compiled(namespace).validate(root)
    shown = " ".join(f"{violation.path} {violation.text}" for violation in found)
    leaked = [secret for secret in secrets(root) if secret in shown]
    assert not leaked, (label, leaked, found)
    assert namespace not in shown


@every_type
def test_no_violation_quotes_content(name: str) -> None:
    namespace = TYPES[name].namespace
    for label, root in mutants(f"{name}", 500):
        assert_discreet(label, root, namespace)
    hostile = tuple(value for value in VALUES if "'" in value or "2512" in value)
    for root in TYPES[name].documents[:1]:
        for label, _ in texts(root, hostile, set()):
            assert_discreet(label, root, namespace)


@pytest.mark.parametrize("filler", ["Nancy ", "' is not accepted by the pattern '2512489996'. "])
def test_a_value_longer_than_libxml2_quotes_stays_out(filler: str) -> None:
    root, namespace = specimen()
    next(root.iter(f"{{{namespace}}}CivilRegistrationNumber")).text = filler * 20_000
    (violation,) = violations(root, namespace)
    assert violation.text == "Element 'CivilRegistrationNumber': Breaks the rule cvc-pattern-valid."


def specimen(name: str = "XREF15 XH1530R") -> tuple[etree._Element, str]:
    return deepcopy(TYPES[name].documents[0]), TYPES[name].namespace


def damaged(old: str, new: str) -> tuple[Violation, ...]:
    root, namespace = specimen()
    written = etree.tostring(root, encoding="unicode")
    assert old in written
    document = '<!DOCTYPE Emessage [<!ENTITY nancy "Nancy">]>' + written.replace(old, new)
    return violations(etree.fromstring(document, etree.XMLParser(resolve_entities=False)), namespace)


@pytest.mark.parametrize(
    ("old", "new", "place", "rule"),
    [
        ("2512489996<", "251248-9996<", "Patient/CivilRegistrationNumber", "not accepted by the pattern '[0-9]{10}'."),
        (">nytbrev<", ">nyt<", "Letter/StatusCode", "not an element of the set {'nytbrev', 'rettetbrev'}."),
        (">Strandby<", f">{'x' * 36}<", "Sender/SuburbName", "exceeds the allowed maximum length of '35'."),
        (">Strandby<", "><", "Sender/SuburbName", "underruns the allowed minimum length of '1'."),
        (">2022-03-14<", ">2022-13-14<", "Sent/Date", "value of the atomic type 'DateWithoutZone'."),
        (">almen_medicin<", ">x<", "MedicalSpecialityCode", "value of the union type 'MedicalSpeciality'."),
        ("<TypeCode>XREF15</TypeCode>", "", "Letter/StatusCode", "is not expected. Expected is ( TypeCode )."),
        ("CivilRegistrationNumber>", "C>", "(name unknown here)", "( CivilRegistrationNumber, Alter"),
        ("<Time>10:42</Time>", "", "Sent", "Missing child element(s). Expected is ( Time )."),
        ("<Patient>", "<Patient xmlns='urn:x'>", "(name unknown here)", "Expected is ( Patient )."),
        (
            "</Patient>",
            "</Patient><Patient xmlns=''/>",
            "Referral/(name unknown here)",
            "Expected is one of ( Relative",
        ),
        ("<Patient>", "<Patient>Nancy", "Patient", "Text is not allowed between its elements."),
        ("<Patient>", "<Patient cpr='2512489996'>", "Patient", "here)': This attribute is not allowed."),
        ("<TypeCode>", "<TypeCode cpr='2512489996'>", "/TypeCode", "This attribute is not allowed."),
        ("<TypeCode>", "<TypeCode><Bold/>", "/TypeCode", "Elements are not allowed in it."),
        ("<Break/>", "<Break>Nancy</Break>", "Break", "The element must be empty."),
        (">Strandby<", ">&nancy;<", "Sender/SuburbName", "It holds an entity that is not resolved."),
        ("<Patient>", f"<Patient xmlns:i='{XSI[1:-1]}' i:type='x'>", "Patient", "'type': Breaks the rule cvc-elt-4-2."),
    ],
)
def test_violations_name_the_place_and_the_rule(old: str, new: str, place: str, rule: str) -> None:
    first = damaged(old, new)[0]
    assert first.path.endswith(place)
    assert first.text.startswith(f"Element '{first.path.rpartition('/')[2].partition('[')[0]}'")
    assert rule in first.text


def test_one_letter_is_judged_on_its_own() -> None:
    for kind in TYPES.values():
        for root in kind.documents:
            assert violations(root, kind.namespace) == ()
            for part in root if kind.namespace != VANS else ():
                assert violations(part, kind.namespace) == ()
    root, namespace = specimen("XDIS91 XD9134L")
    letter = root[1]
    letter.remove(letter[1])
    (alone,), (within,) = violations(letter, namespace), violations(root, namespace)
    assert (alone.path, within.path) == ("ClinicalEmail/Receiver", "Emessage/ClinicalEmail/Receiver")
    assert alone.text == within.text == "Element 'Receiver': This element is not expected. Expected is ( Sender )."
    (nowhere,) = violations(letter[0], namespace)
    assert nowhere == Violation(0, "Letter", "Element 'Letter': No letter or envelope of this namespace has this name.")


def test_violations_stand_in_document_order_with_lines_and_numbers_and_have_an_end() -> None:
    root, namespace = specimen("XCTL03 XC0330Q")
    root.extend(deepcopy(root[1]) for _ in range(29))
    for receipt in root[1:]:
        receipt[0][2].text = ""
        receipt[-1].remove(receipt[-1][-2])
    etree.indent(root)
    plain = etree.tostring(root)
    for written in (plain, re.sub(rb"<(/?)", rb"<\1m:", plain).replace(b"xmlns=", b"xmlns:m=")):
        found = violations(etree.fromstring(written), namespace)
        assert len(found) == MAX_VIOLATIONS
        assert found[2].path == "Emessage/PositiveReceipt[2]/Letter/StatisticalCode"
        assert b"StatisticalCode" in written.splitlines()[found[2].line - 1]
        assert list(found) == sorted(found, key=lambda violation: violation.line)


def test_a_schema_that_a_message_names_is_not_followed(tmp_path: Path) -> None:
    permissive = tmp_path / "any.xsd"
    permissive.write_text(f"<xs:schema xmlns:xs='{XSD[1:-1]}' targetNamespace='{REP}2016/12/01/'/>", "utf-8")
    for place in (str(permissive), permissive.as_uri(), "missing.xsd", "http://127.0.0.1:9/any.xsd"):
        root, namespace = specimen()
        root.set(f"{XSI}schemaLocation", f"{namespace} {place}")
        assert violations(root, namespace) == ()
        root[1].set("cpr", "2512489996")
        assert len(violations(root, namespace)) == 1


@pytest.mark.parametrize(("limit", "value"), [("MAX_ELEMENTS", 200), ("MAX_SIBLINGS", 50)])
def test_a_tree_too_large_for_libxml2_is_refused_unseen(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, namespace = specimen()
    monkeypatch.setattr(schema, limit, value)
    assert violations(root, namespace) == ()
    anamnesis = next(root.iter(f"{{{namespace}}}Anamnesis"))
    anamnesis.extend(etree.Element(f"{{{namespace}}}Break") for _ in range(value))
    refused = Violation(0, "Emessage", "Element 'Emessage': Too many elements to be looked at.")
    assert compiled(namespace).validate(root)
    assert violations(root, namespace) == (refused,)


def test_an_invalid_message_without_a_reason_is_not_taken_for_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = SimpleNamespace(validate=lambda _: False, error_log=())
    monkeypatch.setattr(schema, "compiled", lambda _: silent)
    root, namespace = specimen()
    assert violations(root, namespace) == (
        Violation(0, "Emessage", "Element 'Emessage': Not valid; no reason was given."),
    )


def test_threads_do_not_mix_up_their_violations() -> None:
    def rounds(number: int) -> set[str]:
        root, namespace = specimen()
        leaf = [node for node in root[1].iter("*") if not len(node)][number]
        leaf.tag = "Stranger"
        return {violations(root, namespace)[0].path for _ in range(100)}

    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(rounds, range(16)))
    assert threaded == [rounds(number) for number in range(16)]
    assert all(len(paths) == 1 for paths in threaded)


def test_a_violation_is_a_value() -> None:
    with pytest.raises(FrozenInstanceError):
        Violation(1, "Emessage", "x").line = 2  # type: ignore[misc]
