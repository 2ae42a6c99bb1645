"""Slack's side of Socket Mode on loopback: says hello, sends envelopes, keeps what is acknowledged."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from threading import Thread

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

WAIT_S = 20.0


@dataclass(slots=True)
class SocketSide:
    """A server with at most one client that counts: the last that came."""

    port: int = 0
    came: "Queue[ServerConnection]" = field(default_factory=Queue)
    acks: "Queue[Mapping[str, object]]" = field(default_factory=Queue)
    now: ServerConnection | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link"

    def serve_one(self, connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        self.came.put(connection)
        try:
            for message in connection:
                self.acks.put(json.loads(message))
        except ConnectionClosed:
            return

    def wait_for_client(self) -> None:
        self.now = self.came.get(timeout=WAIT_S)

    def send(self, kind: str, envelope_id: str, payload: Mapping[str, object]) -> None:
        envelope = {"type": kind, "envelope_id": envelope_id, "payload": payload}
        self._connection.send(json.dumps(envelope | {"accepts_response_payload": kind == "slash_commands"}))

    def ack(self) -> Mapping[str, object]:
        return self.acks.get(timeout=WAIT_S)

    def ask_to_leave(self) -> None:
        """Slack does so every few hours."""
        self._connection.send(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))

    def cut(self) -> None:
        self._connection.close()

    @property
    def _connection(self) -> ServerConnection:
        assert self.now is not None
        return self.now


@contextmanager
def socket_side() -> Iterator[SocketSide]:
    side = SocketSide()
    with serve(side.serve_one, "127.0.0.1", 0) as server:
        side.port = server.socket.getsockname()[1]
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield side
        finally:
            server.shutdown()
            thread.join()
