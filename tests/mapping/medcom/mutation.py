"""Ways to damage a document: one thing everywhere in turn (sweeps), or several things by seeded chance (mutants)."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random

from lxml import etree

from tests.mapping.medcom.specimens import REP, STYLES, SUNDCOM, TYPES

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
LIMITS = (7, 8, 9, 10, 14, 17, 18, 25, 35, 70, 255, 350, 512)
LENGTHS = tuple("æ" * (limit + more) for limit in LIMITS for more in (-1, 0, 1))
# Some imitate libxml2's messages: a citizen's data must not slip out behind them either.
VALUES = (
    *("", " ", "\n", "Nancy", "x", "ja", "true", " true ", "TRUE", "1", "0", "false", "nytbrev ", "annulleretbrev"),
    *("2022-03-14", "2022-03-14Z", "2022-03-14+01:00", "-2022-03-14", "2022-02-30", " 2022-03-14", "22-03-14"),
    *("10:42", "10:42:00", "24:00", "9:42", "10:60", "10.42", "10:42Z", " 10:42", "23:59", "12022-03-14"),
    *("2022-03-14T10:42:00Z", "2022-03-14T24:00:00", "2022-03-14 10:42:00", "2022-03-14T10:42", "--03-14"),
    *("251248-9996", "25124899I6", "2512489996", "٢٥١٢٤٨٩٩٩٦", "251248999", "25124899965", "251248 9996"),
    *("CVR", "EAN", "VANS", "XML", "EDIFACT", "HL7", "Binary", "Other", "reliable", "unreliable", "Reliable"),
    *("12", "+12", "0012", "-1", "1.0", "2147483647", "2147483648", "1e3", "9" * 30, " 12\n", "TmFu eQ==", "TmF"),
    *(
        "39dadacc87614d0e96f0f202b24a79c0",
        "39dadacc-8761-4d0e-96f0-f202b24a79c0",
        "39DADACC-8761-4D0E-96F0-F202B24A79C",
    ),
    *("39dadacc-8761-4d0e-96f0-f202b24a79cg", "39Zadacc-8761-4d0e-96f0-f202b24a79c0", "a  b", "a\tb", "Ærø\U0001f600"),
    *("\u00a0", "x' is not accepted by the pattern '2512489996'.", "y' is not an element of the set {'Berggren'}."),
    *("z' is not a valid value of the atomic type 'Berggren'.", "is not expected. Expected is ( Berggren )."),
)
FORMATS = (*STYLES, "Space", "Break", "FixedFont")


# --- chance -----------------------------------------------------------------------------------------------------------
def _any(rng: Random, root: etree._Element) -> etree._Element:
    return rng.choice(list(root.iter("*")))


def _inner(rng: Random, root: etree._Element) -> etree._Element:
    return rng.choice(list(root.iterdescendants("*")))


def _leaf(rng: Random, root: etree._Element) -> etree._Element:
    return rng.choice([node for node in root.iter("*") if next(node.iterchildren("*"), None) is None])


def _place(rng: Random, parent: etree._Element, node: etree._Element) -> None:
    parent.insert(rng.randint(0, len(parent)), node)


def drop(rng: Random, root: etree._Element) -> None:
    node = _inner(rng, root)
    node.getparent().remove(node)


def repeat(rng: Random, root: etree._Element) -> None:
    node = _inner(rng, root)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4, 5, 8, 9, 10, 11, 98, 99))):
        node.addnext(deepcopy(node))


def shuffle(rng: Random, root: etree._Element) -> None:
    parent = _inner(rng, root).getparent()
    _place(rng, parent, rng.choice(list(parent)))


def transplant(rng: Random, root: etree._Element) -> None:
    _place(rng, _any(rng, root), deepcopy(_inner(rng, root)))


def rename(rng: Random, root: etree._Element) -> None:
    _any(rng, root).tag = rng.choice([_inner(rng, root).tag, "Stranger", "{urn:x}Letter"])


def rewrite(rng: Random, root: etree._Element) -> None:
    _leaf(rng, root).text = rng.choice(rng.choice((VALUES, LENGTHS, [node.text for node in root.iter("*")])))


def pad(rng: Random, root: etree._Element) -> None:
    node, space = _leaf(rng, root), rng.choice((" ", "\n", "\t"))
    node.text = rng.choice((f"{space}{node.text or ''}", f"{node.text or ''}{space}"))


def mistype(rng: Random, root: etree._Element) -> None:
    node = _leaf(rng, root)
    letters = list(node.text or "x")
    letters[rng.randrange(len(letters))] = rng.choice("aZ09 -:.æ'")
    node.text = "".join(letters)


def interject(rng: Random, root: etree._Element) -> None:
    _any(rng, root).tail = rng.choice(("Nancy Berggren", " ", "\n  "))


def attribute(rng: Random, root: etree._Element) -> None:
    names = ("cpr", "name", "EndPointType", f"{XSI}schemaLocation", f"{XSI}nil", f"{XSI}type", "{urn:x}cpr")
    values = ("2512489996", "", "true", "EAN", "urn:x Berggren.xsd", "xs:string", "FormattedTextType", "StyledText")
    _any(rng, root).set(rng.choice(names), rng.choice(values))


def other_namespace(rng: Random, root: etree._Element) -> None:
    node = _any(rng, root)
    spaces = (f"{REP}2016/12/01/", f"{REP}2020/05/06/", f"{SUNDCOM}2005/08/07/", "urn:x")
    node.tag = f"{{{rng.choice(spaces)}}}{etree.QName(node).localname}"


def style(rng: Random, root: etree._Element) -> None:
    node = etree.Element(f"{{{etree.QName(root).namespace}}}{rng.choice(FORMATS)}")
    node.text, node.tail = rng.choice((None, "Nancy")), rng.choice((None, "Berggren"))
    _place(rng, _any(rng, root), node)


def remark(rng: Random, root: etree._Element) -> None:
    _place(rng, _any(rng, root), rng.choice((etree.Comment("Nancy"), etree.ProcessingInstruction("cpr", "2512489996"))))


def local_elements(rng: Random, root: etree._Element) -> None:
    node = etree.Element(f"{{{etree.QName(root).namespace}}}Local_Elements", cpr="2512489996")
    node.text = "Nancy"
    node.append(deepcopy(rng.choice((_any(rng, root), etree.Element("Stranger"), etree.Element("{urn:x}Letter")))))
    rewrite(rng, node)
    _place(rng, rng.choice((root, root, root, _any(rng, root))), node)


def another_letter(rng: Random, root: etree._Element) -> None:
    root.extend(deepcopy(rng.choice(list(root))) for _ in range(rng.choice((1, 2, 9))))


def indent(rng: Random, root: etree._Element) -> None:
    etree.indent(_any(rng, root), rng.choice(("", " ", "\t")))


MUTATORS: tuple[Callable[[Random, etree._Element], None], ...] = (
    *(drop, repeat, shuffle, transplant, rename, rewrite, rewrite, rewrite, pad, mistype, interject, attribute),
    *(other_namespace, style, remark, local_elements, another_letter, indent),
)


def mutants(name: str, count: int) -> Iterator[tuple[str, etree._Element]]:
    """``count`` damaged documents of a letter type, the same in every run, each with what was done to it."""
    rng = Random(name)
    documents = TYPES[name].documents
    for _ in range(count):
        root = deepcopy(rng.choice(documents))
        done = rng.choices(MUTATORS, k=rng.choice((1, 1, 1, 2, 2, 3)))
        for mutator in done:
            if len(root):
                mutator(rng, root)
        yield "+".join(mutator.__name__ for mutator in done), root


# --- sweeps: the tree is changed in place, yielded and restored -------------------------------------------------------
def removals(root: etree._Element) -> Iterator[str]:
    """Each element and each attribute left out once."""
    for node in list(root.iterdescendants("*")):
        for name, value in node.attrib.items():
            del node.attrib[name]
            yield f"without {node.tag}/@{name}"
            node.set(name, value)
        parent = node.getparent()
        place = parent.index(node)
        parent.remove(node)
        yield f"without {node.tag}"
        parent.insert(place, node)


def repetitions(root: etree._Element, most: int) -> Iterator[str]:
    """Each element once twice, three times … ``most`` times in a row."""
    for node in list(root.iterdescendants("*")):
        copies = []
        for count in range(2, most + 1):
            copies.append(deepcopy(node))
            copies[-1].tail = None
            node.addprevious(copies[-1])
            yield f"{count} times {node.tag}"
        for copy in copies:
            node.getparent().remove(copy)


def texts(root: etree._Element, values: tuple[str, ...], seen: set[str]) -> Iterator[tuple[str, etree._Element]]:
    """Each value, and its own text padded, in each leaf and attribute; places that ``seen`` holds were tried before.

    Formatting elements get one value in six: they are many, and no rule looks into their text.
    """
    for node in [node for node in root.iter("*") if not len(node) and path_of(node) not in seen]:
        seen.add(path_of(node))
        text, attributes = node.text, dict(node.attrib)
        for value in values[::6] if etree.QName(node).localname in FORMATS else (*values, *_padded(text)):
            node.text = value
            yield f"{path_of(node)} = {value!r}", node
        node.text = text
        for name, own in attributes.items():
            for value in (*values, *_padded(own)):
                node.set(name, value)
                yield f"{path_of(node)}/@{name} = {value!r}", node
            node.set(name, own)


def _padded(text: str) -> tuple[str, ...]:
    return f" {text}", f"{text} ", f"{text}\n", f"{text}\t", text.swapcase()


def path_of(node: etree._Element) -> str:
    return "/".join(etree.QName(step).localname for step in (*reversed(list(node.iterancestors())), node))


def gaps(root: etree._Element) -> Iterator[etree._Element]:
    """An element that no schema knows, once in every place; yields its parent."""
    for parent in list(root.iter("*")):
        for place in range(len(parent) + 1):
            stranger = etree.Element("Stranger")
            parent.insert(place, stranger)
            yield parent
            parent.remove(stranger)
