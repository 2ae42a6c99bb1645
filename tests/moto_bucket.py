"""A bucket of moto's server on loopback, reached by the real boto3; an object arrives when it is put."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import boto3
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from tokensleuth.connectors.settings import SourceSettings

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
BUCKET = "invocation-logs"


class _Client(Protocol):
    """What is used of boto3's."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> object: ...


@dataclass(slots=True)
class Bucket:
    """One bucket; `client` is boto3's."""

    url: str
    client: _Client
    prefix: str = "logs/of/bedrock"
    lookback_hours: int = 48

    @property
    def settings(self) -> SourceSettings:
        return SourceSettings(
            kind="bedrock", location=f"s3://{BUCKET}/{self.prefix}", base_url=self.url,
            lookback_hours=self.lookback_hours, timeout_s=20,
        )  # fmt: skip

    def put(self, name: str, data: bytes, _arrived_at: datetime | None = None) -> None:
        self.client.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=data)


@contextmanager
def moto_bucket() -> Iterator[Bucket]:
    """Serve on a free port until the block ends; the environment must hold ENVIRONMENT."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        # moto keeps its buckets in the process, from one server to the next.
        moto_api_backend.reset()
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        client = boto3.client("s3", endpoint_url=url)
        client.create_bucket(Bucket=BUCKET)
        yield Bucket(url, client)
        client.close()
    finally:
        server.stop()
