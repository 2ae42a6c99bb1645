"""The inbox in the browser and its JSON API: server-rendered, without JavaScript."""

from tokensleuth.web.app import create_app
from tokensleuth.web.parts import SlackIngress, SlackReply, WebParts

__all__ = ["SlackIngress", "SlackReply", "WebParts", "create_app"]
