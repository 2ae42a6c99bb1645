"""The investigation: a graph that looks, explains, proposes, and stops at the human decision."""

import os

# Read by langgraph when it is imported: without it, loading a checkpoint imports whatever class it names.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
