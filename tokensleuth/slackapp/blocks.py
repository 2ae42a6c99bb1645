"""Blocks of a message, built with slack-sdk, which checks its part of the limits."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    ImageBlock,
    MarkdownTextObject,
    PlainTextObject,
    RawTextObject,
    SectionBlock,
    TableBlock,
    TableBlockColumnSettings,
)

from tokensleuth.slackapp.escaping import width
from tokensleuth.slackapp.limits import MOST_ID, MOST_OF, Block

BlockButton: TypeAlias = ButtonElement
Question: TypeAlias = ConfirmObject


def header(text: str) -> Block:
    return HeaderBlock(text=_plain(text)).to_dict()


def section(mrkdwn: str) -> Block:
    """Words of ours, and data through `prose` or `code`."""
    return SectionBlock(text=_marked(mrkdwn), expand=True).to_dict()


def lines_section(lines: Sequence[str]) -> Block:
    """Lines of mrkdwn, each whole; those that do not fit are counted."""
    kept, left = list(lines), MOST_OF["section"] - 40
    while len(kept) > 1 and width("\n".join(kept)) > left:
        kept.pop()
    missing = len(lines) - len(kept)
    more = [f"({missing} more line{'s' * (missing > 1)})"] if missing else []
    return section("\n".join([*kept, *more]))


def plain_section(text: str) -> Block:
    """Words of others, which no markup is read in."""
    return SectionBlock(text=_plain(text), expand=True).to_dict()


def context(*mrkdwn: str) -> Block:
    return ContextBlock(elements=[_marked(text) for text in mrkdwn]).to_dict()


def divider() -> Block:
    return DividerBlock().to_dict()


def image(file_id: str, alt_text: str) -> Block:
    """An image that was uploaded to Slack."""
    return ImageBlock(slack_file={"id": file_id}, alt_text=alt_text).to_dict()


def table(rows: Sequence[Sequence[str]]) -> Block:
    """The first column wraps; the others are numbers, set to the right."""
    cells = [[RawTextObject(text=cell) for cell in row] for row in rows]
    right = TableBlockColumnSettings(align="right")
    settings = [TableBlockColumnSettings(is_wrapped=True), *[right] * (len(rows[0]) - 1)]
    return TableBlock(rows=cells, column_settings=settings).to_dict()


def actions(block_id: str, buttons: Sequence[BlockButton]) -> Block:
    return ActionsBlock(elements=buttons, block_id=block_id[:MOST_ID]).to_dict()


def button(
    label: str,
    *,
    action_id: str,
    value: str,
    style: Literal["primary", "danger"] | None = None,
    asks: Question | None = None,
) -> BlockButton:
    return ButtonElement(text=_plain(label), action_id=action_id, value=value, style=style, confirm=asks)


def question(
    title: str, text: str, *, yes: str, no: str, style: Literal["primary", "danger"] = "primary"
) -> Question:
    """A dialog that asks before a button counts."""
    return ConfirmObject(
        title=_plain(title), text=_plain(text), confirm=_plain(yes), deny=_plain(no), style=style
    )


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)


def _marked(mrkdwn: str) -> MarkdownTextObject:
    """Verbatim: Slack makes no link or mention of what merely looks like one."""
    return MarkdownTextObject(text=mrkdwn, verbatim=True)
