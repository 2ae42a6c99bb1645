"""Logs in a bucket of Amazon S3, or of a store that speaks like it; the only module that knows boto3.

Credentials, region and profile are found by boto3 in the environment, as every AWS tool finds them.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal, TypeAlias, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from ledger.errors import RefusedError
from ledger.ingest.secrets import shortened
from tokensleuth.connectors.log_store import LogObject, log_object
from tokensleuth.connectors.patience import Patience
from tokensleuth.gateways.port import GatewayError, NotSentError, RefusedCallError

CONNECT_S = 5.0
MAX_PAGES = 10_000
"""Of one listing, of 1,000 objects each."""
_GONE = ("NoSuchKey", "404")
_LATER = (408, 429)

_T = TypeVar("_T")
_Answer: TypeAlias = dict[str, object]
_Call = Literal["list_objects_v2", "get_object"]


class S3Logs:
    """What lies under a prefix of a bucket."""

    def __init__(
        self, bucket: str, prefix: str, *, endpoint_url: str | None, timeout_s: float, patience: Patience
    ) -> None:
        """Raises RefusedError where boto3 cannot make a client of the environment."""
        self.where = f"s3://{bucket}/{prefix}"
        self._bucket, self._prefix, self._patience = bucket, prefix, patience
        config = Config(
            connect_timeout=min(CONNECT_S, timeout_s),
            read_timeout=timeout_s,
            retries={"total_max_attempts": 1},
        )
        try:
            self._client = boto3.session.Session().client("s3", endpoint_url=endpoint_url, config=config)
        except (BotoCoreError, ValueError) as error:
            raise RefusedError(
                f"{self.where}: no client of S3 can be made: {shortened(str(error))}"
            ) from None

    def close(self) -> None:
        self._client.close()

    def folders(self, under: str) -> list[str]:
        start = len(self._prefix + under)
        return [
            str(found["Prefix"])[start:].rstrip("/")
            for page in self._pages(under, Delimiter="/")
            for found in cast("list[_Answer]", page.get("CommonPrefixes", []))
        ]

    def objects(self, under: str) -> Iterator[LogObject]:
        for page in self._pages(under):
            for found in cast("list[_Answer]", page.get("Contents", [])):
                arrived_at = cast("datetime", found["LastModified"]).astimezone(UTC)
                if told := log_object(str(found["Key"])[len(self._prefix) :], arrived_at):
                    yield told

    def content(self, name: str) -> bytes | None:
        return self._patience.read(lambda: self._told(name, lambda: self._body(name)))

    def _body(self, name: str) -> bytes:
        answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        return cast("bytes", answer["Body"].read())

    def _pages(self, under: str, **options: str) -> Iterator[_Answer]:
        token: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            page = self._page({"Prefix": self._prefix + under, **options, **token})
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": str(page["NextContinuationToken"])}
        raise RefusedCallError(f"{self.where}{under}: more than {MAX_PAGES:,} pages: it seems to have no end")

    def _page(self, options: dict[str, str]) -> _Answer:
        def ask() -> _Answer:
            return cast("_Answer", self._client.list_objects_v2(Bucket=self._bucket, **options))

        found = self._patience.read(lambda: self._told("", ask))
        if found is None:
            raise RefusedCallError(f"{self.where}: is not there")
        return found

    def _told(self, name: str, call: Callable[[], _T]) -> _T | None:
        """The answer, None where the object is gone; raises GatewayError."""
        where = f"{self.where}{name}"
        try:
            return call()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                return None
            raise _refusal(error, where) from None
        except (NoCredentialsError, PartialCredentialsError):
            raise RefusedCallError(f"{where}: no AWS credentials in the environment") from None
        except ParamValidationError as error:
            raise RefusedCallError(f"{where}: {shortened(str(error))}") from None
        except (BotoCoreError, OSError) as error:
            raise NotSentError(f"{where}: {type(error).__name__}, no whole answer came") from None


def _refusal(error: ClientError, where: str) -> GatewayError:
    """S3's own words name buckets and ids, no secret."""
    told = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    text = shortened(f"{where}: {told.get('Code')}, {told.get('Message')}", 300)
    if status >= 500 or status in _LATER:
        after = str(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
        return NotSentError(text, retry_after_s=float(after) if after.isdecimal() else None)
    return RefusedCallError(text)
