"""What exactly a decision is about, as one hash: any other action, target or parameter has another."""

import hashlib
import json
from collections.abc import Mapping

_BOUND = ("action", "target", "parameters", "reversible")


def payload_hash(proposal: Mapping[str, object], incident_id: str, round_number: int) -> str:
    """64 hex digits over the parts of a proposal of the contract that are carried out, and its round."""
    bound = {name: proposal[name] for name in _BOUND}
    text = json.dumps([incident_id, round_number, bound], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
