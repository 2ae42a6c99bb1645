"""Makes the casebook's record of an investigation: its documents, its chart, and what its proposals touch."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.evidence import Evidence
from agent.finding import Proposal
from agent.investigation import Investigation
from ledger.reader import Reader
from tokensleuth.acting.spend import touched_by
from tokensleuth.casebook.records import EvidenceDocument, InvestigationRecord, Touched
from tokensleuth.people import is_told
from tokensleuth.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Filing:
    """What the records of one run have in common."""

    reader: Reader
    now: datetime
    requested_by: str
    material_usd: Decimal
    reopen_rehearsed: bool

    def record(
        self, investigation: Investigation, timeline: Timeline, *, seconds: float, material: bool
    ) -> InvestigationRecord:
        """Ready to be saved."""
        about = {"material": material, "material_usd": str(self.material_usd)}
        return InvestigationRecord(
            incident=investigation.as_json(seconds=round(seconds, 3)) | about,
            evidence=[_stored(item) for item in investigation.evidence],
            saved_at=self.now,
            requested_by=self.requested_by,
            touched=self._touched(investigation.finding.proposals),
            timeline=timeline.as_json(),
            reopen_rehearsed=self.reopen_rehearsed,
        )

    def _touched(self, proposals: tuple[Proposal, ...]) -> dict[str, Touched]:
        acts = [p for p in proposals if not is_told(p.action)]
        by_scope = {scope: touched_by(self.reader, scope) for scope in {p.target.scope for p in acts}}
        found = ((p.id, by_scope[p.target.scope]) for p in acts)
        return {proposal_id: touched for proposal_id, touched in found if touched is not None}


def _stored(item: Evidence) -> EvidenceDocument:
    plain = item.model_dump(mode="json")
    return EvidenceDocument(
        id=item.id,
        tool=item.tool,
        arguments=item.arguments,
        status=item.status,
        rows=plain["rows"],
        facts=plain["facts"],
    )
