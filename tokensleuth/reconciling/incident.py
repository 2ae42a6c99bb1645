"""A difference from a bill as an incident of the contract, ready for the casebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from agent.evidence import Evidence
from agent.finding import Culprit, Finding, Proposal, proposal_id
from agent.measures import FixPrice
from agent.policy import UNDO
from agent.target import Target
from ledger.money import exact_usd_text
from ledger.window import short_text
from tokensleuth.casebook.records import EvidenceDocument, InvestigationRecord, JsonObject
from tokensleuth.reconciling.override_toml import toml_lines
from tokensleuth.reconciling.reasons import KINDS, Reason
from tokensleuth.reconciling.report import write_report, write_settled
from tokensleuth.reconciling.runs import ALL_MODELS, Run, scope_of
from tokensleuth.reconciling.split import Split, days_evidence, split_evidence, split_of

KIND = "reconciliation"
"""The added field `kind` of the incident document."""
FIXED_BY_PRICE: frozenset[Reason] = frozenset(
    {"unpriced_model", "contract_discount", "list_price", "regional_price", "cache_not_discounted"}
)
"""Where an entry in the price book makes the ledger agree with the bill."""


@dataclass(frozen=True, slots=True)
class Filed:
    """How the records of one run are filed."""

    now: datetime
    expire_hours: int
    requested_by: str = "service:reconciliation"

    def record(self, run: Run) -> InvestigationRecord:
        """Of a difference that stands."""
        split = split_of(run)
        evidence = [split_evidence(run, split), days_evidence(run)]
        report = write_report(run, split, evidence, self.now.date())
        finding = self._finding(run, split, evidence)
        finding = finding.model_copy(
            update={"report": report.markdown, "unsupported_claims": report.unsupported}
        )
        added: JsonObject = {
            "reason": run.explained.reason,
            "settled": False,
            "price_overrides": "\n".join(toml_lines(run.overrides, self.now.date())) or None,
        }
        return self._record(finding, evidence, added)

    def settled(self, run: Run, told_by: Sequence[str]) -> InvestigationRecord:
        """Of one that is in the casebook and stands no more; what is left of it is told as it is."""
        split = split_of(run)
        evidence = [split_evidence(run, split), days_evidence(run)]
        since = f"As of {short_text(self.now)} UTC the bill and the ledger agree."
        why = f"It is told by {', '.join(told_by)} now." if told_by else since
        report = write_settled(run.id, run.window, evidence, why)
        finding = self._finding(run, split, evidence).model_copy(
            update={
                "verdict": "benign",
                "cause": "normal_variation",
                "confidence": 1.0,
                "culprits": (),
                "proposals": (),
                "report": report.markdown,
                "unsupported_claims": report.unsupported,
            }
        )
        return self._record(finding, evidence, {"reason": None, "settled": True, "price_overrides": None})

    def _record(
        self, finding: Finding, evidence: Sequence[Evidence], added: JsonObject
    ) -> InvestigationRecord:
        document = finding.as_json(tuple(evidence), seconds=0.0)
        return InvestigationRecord(
            incident={**document, "kind": KIND, **added},
            evidence=[_stored(each) for each in evidence],
            saved_at=self.now,
            requested_by=self.requested_by,
        )

    def _finding(self, run: Run, split: Split, evidence: Sequence[Evidence]) -> Finding:
        return Finding(
            incident_id=run.id,
            window=run.window,
            scope=run.scope,
            expected_usd=split.expected_usd,
            actual_usd=split.actual_usd,
            delta_usd=split.delta_usd,
            verdict="accounting_artifact",
            cause="accounting_artifact",
            confidence=run.explained.confidence,
            alternatives=(),
            culprits=tuple(_culprits(run, split, evidence[-1].id)),
            effects=split.effects,
            changes=(),
            unpriced_tokens=sum(judged.item.unpriced_tokens for judged in run.days),
            proposals=tuple(self._proposals(run, evidence[-1].id)),
        )

    def _proposals(self, run: Run, evidence_id: str) -> list[Proposal]:
        """To fix the price, where that helps; nothing else is proposed for a matter of the books."""
        reason = run.explained.reason
        if reason not in FIXED_BY_PRICE:
            return []
        model = "all models" if run.model == ALL_MODELS else run.model
        measure = FixPrice(model=model, reason=KINDS[reason].what)
        target = Target(gateway="none", scope=run.scope)
        return [
            Proposal(
                id=proposal_id(run.id, measure, target),
                measure=measure,
                target=target,
                expected_saving_usd_per_day=None,
                requests_refused_per_day=None,
                reversible=True,
                undo=UNDO["fix_price"],
                expires_at=self.now + timedelta(hours=self.expire_hours),
                rationale=KINDS[reason].next_step.replace("`", "").rstrip("."),
                evidence=(evidence_id,),
            )
        ]


def _culprits(run: Run, split: Split, evidence_id: str) -> list[Culprit]:
    """The model, or each of those that share it, the largest first; they add up to the difference."""
    if run.model != ALL_MODELS:
        parts = {run.model: split.delta_usd}
    else:
        exact = {m: sum(j.item.gap_pico for j in run.days if j.item.model == m) for m in run.models}
        parts = _cents(exact, split.delta_usd)
    return [
        Culprit(
            scope=scope_of(run.provider, model),
            cause="accounting_artifact",
            confidence=run.explained.confidence,
            delta_usd=usd,
            share=round(float(usd / split.delta_usd), 6) if split.delta_usd else None,
            evidence=(evidence_id,),
            verdict="accounting_artifact",
        )
        for model, usd in sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    ]


def _cents(exact: dict[str, int], total: Decimal) -> dict[str, Decimal]:
    """Each rounded; what that leaves of the total goes to the largest."""
    rounded = {name: Decimal(exact_usd_text(pico)).quantize(Decimal("0.01")) for name, pico in exact.items()}
    largest = max(exact, key=lambda name: abs(exact[name]))
    return rounded | {largest: rounded[largest] + total - sum(rounded.values(), Decimal())}


def _stored(item: Evidence) -> EvidenceDocument:
    plain = item.model_dump(mode="json")
    return EvidenceDocument(item.id, item.tool, item.arguments, item.status, plain["rows"], plain["facts"])
