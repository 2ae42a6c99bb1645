"""The record of what was found, proposed and decided: incidents, evidence, proposals, baselines."""

from tokensleuth.casebook.baselines import BaselineChange
from tokensleuth.casebook.records import EvidenceDocument, InvestigationRecord, JsonObject, ProposalState
from tokensleuth.casebook.store import Casebook

__all__ = [
    "BaselineChange",
    "Casebook",
    "EvidenceDocument",
    "InvestigationRecord",
    "JsonObject",
    "ProposalState",
]
