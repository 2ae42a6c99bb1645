"""Logs in a local folder of the layout that they have in their bucket, as `aws s3 sync` brings them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tokensleuth.connectors.log_store import LogObject, log_object
from tokensleuth.gateways.port import NotSentError


@dataclass(frozen=True, slots=True)
class FolderLogs:
    """Files below a folder."""

    root: Path

    def close(self) -> None:
        """Nothing is held open."""

    def folders(self, under: str) -> list[str]:
        try:
            return sorted(path.name for path in (self.root / under).iterdir() if path.is_dir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotSentError(f"{self.root / under}: cannot be read: {error.strerror}") from None

    def objects(self, under: str) -> Iterator[LogObject]:
        for path in sorted((self.root / under).rglob("*")):
            try:
                arrived_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except OSError:
                # Moved away while the folder was listed.
                continue
            found = log_object(path.relative_to(self.root).as_posix(), arrived_at)
            if found is not None and path.is_file():
                yield found

    def content(self, name: str) -> bytes | None:
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotSentError(f"{self.root / name}: cannot be read: {error.strerror}") from None
