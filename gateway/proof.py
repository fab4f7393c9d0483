"""Tables, municipality file and code system proved against each other; run at every start and by ``gateway check``."""

from collections.abc import Iterator
from pathlib import Path

from stdnum import ean, verhoeff

from fsiii import interventions_119
from gateway.errors import ConfigurationError
from gateway.mapping.interpretation import Interpretation, interpretation
from gateway.mapping.medcom import xdis15, xdis91
from gateway.mapping.medcom.letter_types import NAMESPACE_OF
from gateway.mapping.medcom.other_types import OTHER_TYPES
from gateway.municipality.model import Municipality, load
from gateway.referral.model import ReferrerKind

_GLN_LENGTH = 13


def proved_municipality(path: Path | None) -> Municipality:
    """The municipality file (without a path the built-in one), proved against tables and code system.

    Raises:
        ConfigurationError: GW-302 with everything that does not fit.
    """
    municipality = load(path)
    found = problems(municipality, interpretation())
    if found:
        raise ConfigurationError("GW-302", "; ".join(found))
    return municipality


def problems(municipality: Municipality, tables: Interpretation) -> list[str]:
    """Everything that does not fit together, with how to mend it; empty when all is well."""
    return [
        *_routes(municipality, tables),
        *_groups(tables),
        *_numbers(municipality),
        *_senders(municipality),
        *_versions(municipality),
        *_forwards(municipality),
    ]


def _routes(municipality: Municipality, tables: Interpretation) -> Iterator[str]:
    """Every programme is routed or listed as not offered; nothing else is named."""
    known = {row.name for row in tables.programmes.values()}
    named = set(municipality.routes) | set(municipality.not_offered)
    for name in sorted(known - named):
        yield f"the programme {name} is neither in [routes] nor in not_offered of the municipality file"
    for name in sorted(named - known):
        yield f"the municipality file names the programme {name}, which programmes.tsv does not have"
    for name in sorted(set(municipality.waivers) - set(municipality.routes)):
        yield f"[waivers.{name}] has no route"


def _groups(tables: Interpretation) -> Iterator[str]:
    """A diagnosis row that leads to a programme names a group that has one; first interventions are current."""
    for row in tables.diagnoses.values():
        if row.role in {"primary", "offer", "conditional", "not_offered"} and row.group not in tables.programmes:
            yield f"diagnoses.tsv {row.id}: the group {row.group} has no programme in programmes.tsv"
    current = {code for code, row in interventions_119().items() if not row.retired}
    for programme in tables.programmes.values():
        if programme.plan.first.code not in current:
            yield f"programmes.tsv {programme.name}: the first intervention is no current FSIII §119 code"


def _numbers(municipality: Municipality) -> Iterator[str]:
    glns = {f"glns {gln}": gln for gln in municipality.glns}
    glns |= {f"addresses {key}": gln for key, gln in municipality.addresses.items()}
    for place, gln in glns.items():
        if len(gln) != _GLN_LENGTH or not ean.is_valid(gln):
            yield f"{place}: no GLN (13 digits with a GS1 check digit)"
    sors = {"letterhead.sor": municipality.letterhead.sor}
    sors |= {f"teams.{key}.sor": team.sor for key, team in municipality.teams.items()}
    for place, sor in sors.items():
        if sor and not verhoeff.is_valid(sor):
            yield f"{place}: no SOR id (Verhoeff check digit)"


def _senders(municipality: Municipality) -> Iterator[str]:
    kinds = {kind.value for kind in ReferrerKind}
    for sender, kind in municipality.senders.items():
        if kind not in kinds:
            yield f"senders {sender}: unknown kind {kind!r}; one of {', '.join(sorted(kinds))}"


def _versions(municipality: Municipality) -> Iterator[str]:
    chosen = {xdis15.TYPE: municipality.versions.xdis15, xdis91.TYPE: municipality.versions.xdis91}
    for kind, versions in chosen.items():
        known = sorted(version for name, version in NAMESPACE_OF if name == kind)
        for gln, version in versions.items():
            if version not in known:
                place = f"versions.{kind.lower()}.{gln}"
                yield f"{place}: unknown version {version!r}; one of {', '.join(known)}"


def _forwards(municipality: Municipality) -> Iterator[str]:
    """Only what is known and not read can be forwarded unread."""
    for name in sorted(set(municipality.forwards) - OTHER_TYPES):
        yield f"forwards.{name}: no type that can be forwarded; one of {', '.join(sorted(OTHER_TYPES))}"
