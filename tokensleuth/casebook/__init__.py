"""The record of what was found and proposed: incidents, investigations, evidence, proposals."""

from tokensleuth.casebook.records import EvidenceDocument, InvestigationRecord, JsonObject, ProposalState
from tokensleuth.casebook.store import Casebook

__all__ = ["Casebook", "EvidenceDocument", "InvestigationRecord", "JsonObject", "ProposalState"]
