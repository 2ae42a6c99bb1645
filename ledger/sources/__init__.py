"""The formats usage comes in; each turns its raw rows into the columns of the usage-file contract."""

from collections.abc import Mapping

from ledger.ingest.source import Source, SourceFormat
from ledger.sources.bedrock import BEDROCK
from ledger.sources.focus import FOCUS
from ledger.sources.litellm import LITELLM
from ledger.sources.usage import USAGE

__all__ = ["SOURCES", "Source", "SourceFormat"]

SOURCES: Mapping[SourceFormat, Source] = {
    "usage": USAGE,
    "focus": FOCUS,
    "litellm": LITELLM,
    "bedrock": BEDROCK,
}
