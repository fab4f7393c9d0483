"""The referral in the report: a service request and its diagnoses; a corrected one stands instead of the last."""

from collections.abc import Iterable, Iterator

import msgspec

from gateway.mapping.kl.content import FocusCondition, Item, ServiceRequest
from gateway.mapping.kl.history import Version
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.model import CodeSystem, Diagnosis
from gateway.referral.workdays import local_date

_ADD_ON = "tillaegsdiagnose"


class Requests:
    """The referrals of a case, as far as the report can tell them apart."""

    def __init__(self, case_id: str) -> None:
        self._case_id = case_id
        self._told: list[ServiceRequest] = []
        self._conditions: dict[str, FocusCondition] = {}

    def add(self, version: Version, *, reported: bool) -> None:
        """A version of the referral: a request of its own where it differs in what is told.

        One that differs stands instead of the last one, which is revoked where it was ``reported``.
        """
        conditions = self._focus_conditions(version.diagnoses)
        reasons = tuple(c.id for c in conditions)
        last = self._told[-1] if self._told else None
        if last is not None and (last.requester, last.reasons) == (version.requester, reasons):
            return
        if reported:
            self._told[-1] = msgspec.structs.replace(self._told[-1], revoked=True)
        else:
            self._told.clear()
            self._conditions.clear()
        self._conditions |= {c.id: c for c in conditions}
        cause = Cause(sender=self._case_id, id=version.at.isoformat())
        request = ServiceRequest(
            id=fhir_id(cause, "ServiceRequest", "KL"),
            received=local_date(version.at),
            requester=version.requester,
            reasons=reasons,
            replaces=self._told[-1].id if self._told else None,
        )
        self._told.append(request)

    def items(self, *, revoked: bool) -> Iterator[Item]:
        """Diagnoses and requests; ``revoked``: the referrer took the last one back."""
        yield from self._conditions.values()
        yield from self._told[:-1]
        yield from (msgspec.structs.replace(last, revoked=last.revoked or revoked) for last in self._told[-1:])

    def _focus_conditions(self, diagnoses: Iterable[Diagnosis]) -> tuple[FocusCondition, ...]:
        """One for each whole meaning; an add-on code says nothing alone and adds its words to the code before it."""
        found: list[FocusCondition] = []
        for diagnosis in diagnoses:
            if diagnosis.description_code == _ADD_ON and found:
                found[-1] = _with_add_on(found[-1], diagnosis)
            else:
                found.append(_focus_condition(diagnosis))
        own = (self._own(condition) for condition in found if condition.code or condition.text)
        return tuple({condition.id: condition for condition in own}.values())

    def _own(self, condition: FocusCondition) -> FocusCondition:
        """With the id that its content has in this case."""
        content = "|".join((condition.system or "", condition.code or "", condition.text))
        own = fhir_id(Cause(sender=self._case_id, id=content), "FocusCondition", "KL")
        return msgspec.structs.replace(condition, id=own)


def _focus_condition(diagnosis: Diagnosis) -> FocusCondition:
    """A code alone where there is one (of SKS only diagnoses, with their D and without dot), else the words."""
    code = (diagnosis.code or "").replace(".", "").replace(" ", "").upper()
    is_diagnosis = code.startswith("D") if diagnosis.system is CodeSystem.SKS else bool(code)
    if diagnosis.system is None or not is_diagnosis:
        return FocusCondition(id="", system=None, code=None, text=diagnosis.text.strip())
    return FocusCondition(id="", system=diagnosis.system, code=code, text="")


def _with_add_on(condition: FocusCondition, add_on: Diagnosis) -> FocusCondition:
    words = "; ".join(filter(None, (condition.text, add_on.text.strip())))
    return msgspec.structs.replace(condition, text=words)
