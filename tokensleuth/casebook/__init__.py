"""The record of what was found, proposed, decided and spent on finding it."""

from tokensleuth.casebook.baselines import BaselineChange
from tokensleuth.casebook.calls import BookedCall
from tokensleuth.casebook.records import EvidenceDocument, InvestigationRecord, JsonObject, ProposalState
from tokensleuth.casebook.store import Casebook

__all__ = [
    "BaselineChange",
    "BookedCall",
    "Casebook",
    "EvidenceDocument",
    "InvestigationRecord",
    "JsonObject",
    "ProposalState",
]
