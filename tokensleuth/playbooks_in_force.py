"""The playbooks that are in force; apart from the investigator, which takes seconds to load."""

from agent.signals import FACTS
from playbooks import Playbook, load_playbooks
from tokensleuth.app import App


def playbooks_of(app: App) -> tuple[Playbook, ...]:
    """Shipped, and the operator's own."""
    return load_playbooks(app.settings.playbooks.folder, facts=FACTS)
