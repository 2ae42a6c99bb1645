import gzip
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ledger.window import floor_hour
from tests.otlp_cases import HOUR, Series, nanos
from tokensleuth.app import App, Overrides
from tokensleuth.clock import utc_now
from tokensleuth.commands.ingest_otlp import OtlpIngest, run
from tokensleuth.connectors.syncing import Into
from tokensleuth.otlp.settings import OtlpSettings
from tokensleuth.output import ExitCode, Outcome, progress_bar

NOW = utc_now()
AT = floor_hour(NOW) - 30 * HOUR
MINUTE = timedelta(minutes=1)
WEB = Series(cumulative=True)


def ingest(folder: Path, *paths: Path, strict: bool = False, rejects: Path | None = None) -> Outcome:
    app = App.configured(Overrides(ledger=folder / "ledger.duckdb", casebook=f"sqlite:///{folder}/casebook"))
    into = Into(
        opened=lambda: app.ledger(create=True),
        folder=folder / "sync",
        book=app.price_book(),
        attribution=app.attribution(),
        owners=(),
        tags=app.settings.focus_tags.model_dump(),
    )
    with progress_bar() as progress:
        return run(app, paths, OtlpSettings(), into, OtlpIngest(NOW, strict, rejects), progress)


def tokens(folder: Path) -> tuple[object, ...]:
    app = App.configured(Overrides(ledger=folder / "ledger.duckdb"))
    with app.ledger() as ledger:
        found = ledger.pulled.connection.execute(
            "select sum(requests), sum(input_tokens), sum(output_tokens) from spend"
        ).fetchone()
    return tuple(found or ())


def lines(path: Path, requests: Sequence[object]) -> Path:
    path.write_text("".join(f"{json.dumps(request)}\n" for request in requests))
    return path


def counted(total: int, minute: int) -> object:
    return WEB.request(WEB.point("input", total, AT - MINUTE, AT + minute * MINUTE, calls=total))


def test_a_file_of_the_collector_is_loaded_by_hours_and_twice_changes_nothing(tmp_path: Path) -> None:
    delta = Series(service="batch")
    path = lines(
        tmp_path / "metrics.jsonl",
        [
            delta.request(
                delta.point("input", 10, AT, AT + MINUTE), delta.point("output", 3, AT, AT + MINUTE)
            ),
            delta.request(delta.point("input", 5, AT + HOUR, AT + HOUR + MINUTE)),
        ],
    )
    first = ingest(tmp_path, path)
    assert (first.exit_code, first.document["new"], first.document["rejected"]) == (ExitCode.DONE, 2, 0)
    again = ingest(tmp_path, path)
    assert (again.document["new"], again.document["restated"], again.document["duplicate"]) == (0, 0, 3)
    assert tokens(tmp_path) == (2, 15, 3)


def test_rotated_files_of_cumulative_series_go_on_where_the_last_one_ended(tmp_path: Path) -> None:
    ingest(tmp_path, lines(tmp_path / "a.json", [counted(100, 1), counted(130, 2)]))
    ingest(tmp_path, lines(tmp_path / "b.json", [counted(150, 3)]))
    assert tokens(tmp_path) == (150, 150, 0)


def test_one_document_over_several_lines_and_a_gzipped_one_are_read(tmp_path: Path) -> None:
    delta = Series()
    whole = tmp_path / "traces.json"
    whole.write_text(json.dumps(delta.spans(delta.span(1, AT, {"gen_ai.usage.input_tokens": 7})), indent=2))
    packed = tmp_path / "more.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(delta.spans(delta.span(2, AT))).encode()))
    ingest(tmp_path, whole, packed)
    assert tokens(tmp_path) == (2, 7, 0)


def test_protobuf_is_told_apart_by_what_is_in_it(tmp_path: Path) -> None:
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = "gen_ai.client.token.usage"
    metric.histogram.aggregation_temporality = 1
    point = metric.histogram.data_points.add(
        start_time_unix_nano=nanos(AT), time_unix_nano=nanos(AT + MINUTE), count=1, sum=40
    )
    pair = point.attributes.add(key="gen_ai.token.type")
    pair.value.string_value = "input"
    traces = ExportTraceServiceRequest()
    span = (
        traces.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=b"\x8f" * 16, span_id=b"\x9f" * 8, start_time_unix_nano=nanos(AT))
    )
    for key, value in (("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "openai")):
        span.attributes.add(key=key).value.string_value = value
    span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 2
    (tmp_path / "m.pb").write_bytes(metrics.SerializeToString())
    (tmp_path / "t.pb").write_bytes(traces.SerializeToString())
    assert ingest(tmp_path, tmp_path / "m.pb", tmp_path / "t.pb").exit_code == ExitCode.DONE
    assert tokens(tmp_path) == (2, 42, 0)


def test_wrong_lines_and_points_are_told_by_line_and_the_rest_is_taken(tmp_path: Path) -> None:
    delta = Series()
    good, bad = delta.point("input", 10, AT, AT + MINUTE), delta.point("input", -1, AT, AT + MINUTE)
    path = tmp_path / "m.jsonl"
    path.write_text(f'{json.dumps(delta.request(good, bad))}\nnot json\n{{"resourceLogs": []}}\n')
    rejects = tmp_path / "rejects.csv"
    outcome = ingest(tmp_path, path, rejects=rejects)
    errors = cast(list[dict[str, object]], outcome.document["errors"])
    assert [(e["line"], e["column"]) for e in errors] == [(1, "sum"), (2, None), (3, None)]
    assert (outcome.exit_code, outcome.document["rejected"], outcome.document["read"]) == (
        ExitCode.PART,
        3,
        4,
    )
    assert len(rejects.read_text().splitlines()) == 4
    assert tokens(tmp_path) == (1, 10, 0)


def test_strict_refuses_a_file_with_a_wrong_point_as_a_whole(tmp_path: Path) -> None:
    delta = Series()
    path = lines(tmp_path / "m.jsonl", [delta.request(delta.point("input", -1, AT, AT + MINUTE))])
    outcome = ingest(tmp_path, path, strict=True)
    assert outcome.exit_code == ExitCode.REFUSED
    assert tokens(tmp_path) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("m.txt", b"{}", "unknown kind of file"),
        ("m.json", b"", "is empty"),
        ("m.pb", b"\xff\xff\xff", "no OTLP request"),
        ("m.json.gz", gzip.compress(b"{}", mtime=0)[:-3], "damaged or cut short"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    outcome = ingest(tmp_path, tmp_path / name)
    assert outcome.exit_code == ExitCode.REFUSED
    assert reason in str(outcome.document["errors"])
