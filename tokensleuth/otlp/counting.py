"""Points of token series counted into hours, by what was last seen of each series."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.ingest.contract import MAX_COUNT
from ledger.sources.otlp_metrics import TokenPoint
from ledger.sources.otlp_raw import TOKEN_USAGE
from ledger.sources.otlp_series import Advance, Seen, Share, advance
from ledger.sources.told import Wrong

_LOOKED_UP = 500
_HOUR_SQL = """insert into hours values (?, ?, ?, ?, ?, ?, ?, ?, 0)
    on conflict do update set
        input_calls = input_calls + excluded.input_calls, input_tokens = input_tokens + excluded.input_tokens,
        output_calls = output_calls + excluded.output_calls,
        output_tokens = output_tokens + excluded.output_tokens, changed = excluded.changed"""


def written(cells: Mapping[str, str | int]) -> str:
    """Cells as JSON, the same for the same cells."""
    return json.dumps(cells, sort_keys=True, separators=(",", ":"))


@dataclass(slots=True)
class PointCounter:
    """The points of some requests; all is read, and then all is written, at once."""

    connection: sqlite3.Connection
    number: int
    """Of the fold."""
    pruned_until: int
    points: list[tuple[TokenPoint, str, int]] = field(default_factory=list)
    """With the key of their scope, and since when a new series certainly counts from its start."""
    steps: Counter[str] = field(default_factory=Counter)
    _scopes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _seen: dict[str, Seen] = field(default_factory=dict)
    _exports: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each process, the one before the last, and the last."""
    _moved: dict[str, tuple[Seen, str]] = field(default_factory=dict)
    """Series that went on, with their process."""
    _hours: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    def scope(self, cells: Mapping[str, str]) -> str:
        """The key of a scope, which is remembered."""
        key = sha256(written(cells).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._scopes[key] = cells
        return key

    def write(self) -> list[Wrong]:
        """Count them; returns what is too much to be true, which is not counted."""
        if not self.points:
            return []
        self._seen = {
            k: Seen(*row) for k, row in self._looked_up(_SERIES, {_series(told[0]) for told in self.points})
        }
        processes = {_process(point) for point, *_ in self.points if point.is_cumulative}
        self._exports = {key: (row[0], row[1]) for key, row in self._looked_up(_PROCESSES, processes)}
        wrong = [w for told in self.points if (w := self._count(*told)) is not None]
        self._write_series()
        self._write_hours()
        return wrong

    def _count(self, point: TokenPoint, scope: str, horizon: int) -> Wrong | None:
        key, process = _series(point), _process(point)
        moved = advance(point, self._seen.get(key), since=self._since(point, process, horizon))
        self.steps[moved.step] += 1
        if len(moved.shares) > 1:
            self.steps["spread"] += 1
        self._seen[key] = moved.seen
        self._moved[key] = (moved.seen, process)
        return self._share_out(moved, scope, is_input=point.is_input)

    def _since(self, point: TokenPoint, process: str, horizon: int) -> int | None:
        """When a series that is new was 0: at its process's export before this one, else at its start."""
        if not point.is_cumulative:
            return None
        before, last = self._exports.get(process, (0, 0))
        if point.time > last:
            before, last = last, point.time
            self._exports[process] = (before, last)
        if 0 < before < point.time:
            return max(before, point.start)
        return point.start if point.start >= horizon else None

    def _share_out(self, moved: Advance, scope: str, *, is_input: bool) -> Wrong | None:
        if too_many := next((s for s in moved.shares if max(s.tokens, s.calls) > MAX_COUNT), None):
            reason = f"is over {MAX_COUNT:,} tokens or calls in one hour"
            return Wrong(f"{TOKEN_USAGE} {dict(self._scopes[scope])}", "sum", str(too_many.tokens), reason)
        for share in moved.shares:
            self._add(share, scope, 0 if is_input else 2)
        return None

    def _add(self, share: Share, scope: str, at: int) -> None:
        sums = self._hours.setdefault((share.hour, scope), [0, 0, 0, 0])
        sums[at] += share.calls
        sums[at + 1] += share.tokens

    def _write_series(self) -> None:
        self.connection.executemany(
            "insert or replace into series values (?, ?, ?, ?, ?, ?)",
            [(key, process, *seen) for key, (seen, process) in self._moved.items()],
        )
        self.connection.executemany(
            "insert or replace into processes values (?, ?, ?)",
            [(process, *exports) for process, exports in self._exports.items()],
        )

    def _write_hours(self) -> None:
        self.connection.executemany(
            "insert or ignore into scopes values (?, ?, ?, ?)",
            [
                (key, cells.get("client", ""), cells.get("provider", ""), written(cells))
                for key, cells in self._scopes.items()
            ],
        )
        self.connection.executemany(
            _HOUR_SQL,
            [
                (hour, scope, self.number if hour < self.pruned_until else 0, *sums, self.number)
                for (hour, scope), sums in self._hours.items()
            ],
        )
        self._note_clients()

    def _note_clients(self) -> None:
        """Spans of an hour that its client is first seen to tell by metrics are looked at again."""
        told = {
            (hour, self._scopes[scope].get("client", ""), self._scopes[scope].get("provider", ""))
            for hour, scope in self._hours
        }
        for row in sorted(told):
            fresh = self.connection.execute("insert or ignore into metric_hours values (?, ?, ?)", row)
            if fresh.rowcount == 1:
                self.connection.execute(
                    """update spans set changed = ?
                    where hour = ? and client = ? and provider = ?""",
                    (self.number, *row),
                )

    def _looked_up(self, sql: str, keys: Collection[str]) -> list[tuple[str, tuple[int, ...]]]:
        wanted, found = list(keys), []
        for at in range(0, len(wanted), _LOOKED_UP):
            some = wanted[at : at + _LOOKED_UP]
            rows = self.connection.execute(sql.format(",".join("?" * len(some))), some)
            found += [(str(key), tuple(row)) for key, *row in rows]
        return found


_SERIES = "select key, start, time, calls, tokens from series where key in ({})"
_PROCESSES = "select key, before, last from processes where key in ({})"


def _series(point: TokenPoint) -> str:
    """Processes that share a name tell series that differ by their start only."""
    return f"{point.series}@{point.start:x}" if point.is_cumulative else point.series


def _process(point: TokenPoint) -> str:
    return f"{point.process}@{point.start:x}" if point.is_cumulative else point.process
