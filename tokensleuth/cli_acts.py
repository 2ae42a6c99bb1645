"""Decisions on the command line: approve, reject, undo, feedback, audit, token, serve; options and help."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption, ReasonOption

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

audit = typer.Typer(no_args_is_help=True, help="The record of what was decided and done.")

ProposalArgument = Annotated[str, typer.Argument(metavar="ID", help="As `tokensleuth proposals` shows it.")]
NoWaitFlag = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the outcome.")]


def approve(
    proposal_id: ProposalArgument,
    reason: ReasonOption = None,
    no_wait: NoWaitFlag = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Approve a proposal as the present OS user; it is then done, by the service or here, and verified."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.deciding import run_decision

        return run_decision(
            configured, proposal_id, "approve", reason=reason, wait=not no_wait, progress=progress
        )

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def reject(
    proposal_id: ProposalArgument,
    reason: ReasonOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Reject a proposal as the present OS user; --reason is kept for the next investigation."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.deciding import run_decision

        return run_decision(configured, proposal_id, "reject", reason=reason, wait=False, progress=progress)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def undo(
    proposal_id: ProposalArgument,
    no_wait: NoWaitFlag = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Restore what was there before an action, unless somebody has changed it since."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.deciding import run_undo

        return run_undo(configured, proposal_id, wait=not no_wait, progress=progress)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def feedback(
    incident_id: Annotated[
        str, typer.Argument(metavar="INCIDENT", help="As `tokensleuth incidents` shows it.")
    ],
    verdict: Annotated[Literal["expected", "not-an-issue", "real"], typer.Argument(help="What it is.")],
    days: Annotated[
        int, typer.Option("--days", min=1, max=7, help="How long `expected` keeps its scope quiet.")
    ] = 7,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Say what an incident is: expected, not an issue, or real."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.feedback import run

        return run(configured, incident_id, verdict, days=days)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@audit.command("verify")
def audit_verify(
    anchor: Annotated[
        list[str] | None,
        typer.Option("--anchor", metavar="COUNT:MAC", help="One that was posted or noted; may be repeated."),
    ] = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Check that no entry was changed, removed or added; names the first bad one, and exits 1."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.audit import verify

        return verify(configured, anchor or [])

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@audit.command("list")
def audit_list(
    subject: Annotated[
        str | None, typer.Option("--of", metavar="ID", help="Only of this proposal, execution or incident.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, latest first.")] = 50,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """List what was decided and done, latest first."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.audit import list_entries

        return list_entries(configured, subject=subject, limit=limit)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The approver's name.")],
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Make a web token for a person; it is shown once, and only its hash goes into the settings."""

    def command(_configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.token import run

        return run(name)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Instead of the settings' one.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = None,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Run the service: web inbox, Slack, and what is approved gets done. Without settings: a dry run."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.service.serving import serve as run

        return run(configured, host=host, port=port)

    execute(command, json=False, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    for command in (approve, reject, undo, feedback, token, serve):
        app.command()(command)
    app.add_typer(audit, name="audit")
