"""What people change of what they are alerted of, on the command line: tunings, plan, simulate."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokensleuth.execution import execute
from tokensleuth.options import (
    CasebookOption,
    ConfigOption,
    JsonFlag,
    LabelsOption,
    LedgerOption,
    RangeArgument,
    ReasonOption,
    WhereOption,
)

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

tunings = typer.Typer(help="What people changed of what is alerted: raised thresholds and planned events.")
plan = typer.Typer(no_args_is_help=True, help="Announce launches, batches and holidays; each ends by itself.")

EverythingFlag = Annotated[bool, typer.Option("--all", help="Also what lapsed or was undone.")]
DirectionOption = Annotated[Literal["up", "down"], typer.Option("--direction", help="Rises, or drops.")]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="INSTANT", help="When it is forgotten; by default a week later."),
]
TuningArgument = Annotated[str, typer.Argument(metavar="ID", help="As `tokensleuth tunings` shows it.")]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--setting",
        metavar="KEY=VALUE",
        help="A setting of [detection] to change, e.g. fire_score=14; may be repeated.",
    ),
]
MinUsdOption = Annotated[
    str | None,
    typer.Option("--min-usd", metavar="USD", help="Raise the threshold of the scope in --where to this."),
]
MinScoreOption = Annotated[
    float | None, typer.Option("--min-score", min=0.0, help="The same by the score of the highest hour.")
]


@tunings.callback(invoke_without_command=True)
def list_tunings(
    context: typer.Context,
    where: WhereOption = None,
    everything: EverythingFlag = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """List what people changed of what is alerted: raised thresholds and planned events."""
    if context.invoked_subcommand is not None:
        return

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.tuning import list_tunings as run

        return run(configured, kind=None, where=where or [], everything=everything)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@tunings.command("undo")
def undo_tuning(
    tuning_id: TuningArgument,
    reason: ReasonOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Take a tuning back: what it kept quiet alerts again."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.tuning import undo

        return undo(configured, tuning_id, kind=None, reason=reason)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@tunings.command("raise")
def raise_threshold(
    min_usd: Annotated[str, typer.Option("--min-usd", metavar="USD", help="Incidents open from this on.")],
    where: WhereOption = None,
    direction: DirectionOption = "up",
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="Then it lapses.")] = 30,
    reason: ReasonOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Raise the threshold of a scope; refused where it would have kept quiet what was said to be real."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.tuning import raise_threshold as run

        return run(
            configured, where=where or [], min_usd=min_usd, direction=direction, days=days, reason=reason
        )

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@plan.command("add")
def plan_add(
    start: Annotated[str, typer.Option("--start", help="A day, or an instant with its offset.")],
    end: Annotated[str, typer.Option("--end", help="The last day, included; or the instant it is over.")],
    what: Annotated[str, typer.Option("--what", help="Such as: launch of the new search.")],
    where: WhereOption = None,
    until: UntilOption = None,
    reason: ReasonOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Announce an event, so that the growth it explains is called benign."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.tuning import add

        return add(configured, start=start, end=end, what=what, where=where or [], until=until, reason=reason)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@plan.command("list")
def plan_list(
    where: WhereOption = None,
    everything: EverythingFlag = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """List the planned events of the casebook."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.tuning import list_tunings as run

        return run(configured, kind="planned", where=where or [], everything=everything)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@plan.command("undo")
def plan_undo(
    tuning_id: TuningArgument,
    reason: ReasonOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Take a planned event back."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.tuning import undo

        return undo(configured, tuning_id, kind="planned", reason=reason)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def simulate(
    time_range: RangeArgument,
    setting: SettingsOption = None,
    min_usd: MinUsdOption = None,
    min_score: MinScoreOption = None,
    direction: DirectionOption = "up",
    labels: LabelsOption = None,
    where: WhereOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Show which incidents other settings, or a raised threshold, would have lost; saves nothing."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.simulate import Asked, run_asked

        asked = Asked(time_range, tuple(setting or ()), labels, tuple(where or ()))
        return run_asked(configured, asked, min_usd, min_score, direction, progress=progress)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(simulate)
    app.add_typer(tunings, name="tunings")
    app.add_typer(plan, name="plan")
