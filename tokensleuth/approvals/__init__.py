"""The one door through which people decide: Slack, the web inbox, the command line and the API."""

from tokensleuth.approvals.deciding import Answer, Request, decide

__all__ = ["Answer", "Request", "decide"]
