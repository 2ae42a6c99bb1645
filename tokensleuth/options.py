"""The options that several commands take; read by typer, so nothing heavy is imported."""

from pathlib import Path
from typing import Annotated

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of tables.")]
AllFlag = Annotated[bool, typer.Option("--all", help="Show minor incidents in full too.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings; default ./tokensleuth.toml if it exists."),
]
LedgerOption = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="PATH", help="The ledger file instead of the settings' one."),
]
CasebookOption = Annotated[
    str | None,
    typer.Option("--casebook", metavar="URL", help="The casebook instead of the one beside the ledger."),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="DIM=VALUE", help="Only this scope, e.g. team=search; may be repeated."),
]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept with the decision.")
]
_RANGE = (
    "2026-11-01..2026-11-07 (both days included), 2026-11-01T00:00Z..2026-11-02T06:00Z, last-24h or last-7d."
)
RangeArgument = Annotated[str, typer.Argument(metavar="RANGE", help=_RANGE)]
OptionalRangeArgument = Annotated[str | None, typer.Argument(metavar="[RANGE]", help=_RANGE)]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="FILE",
        help="JSON list of what truly happened: scope, start_at, end_at and perhaps kind of each.",
    ),
]
