import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import requires
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml  # type: ignore[import-untyped]
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import JsonValue
from sqlalchemy import make_url

from tokensleuth.casebook.opening import parse_url
from tokensleuth.output import ExitCode
from tokensleuth.service.serving import DRAIN_S
from tokensleuth.settings import Settings, Store
from tokensleuth.settings_acts import Web
from tokensleuth.slackapp.incoming import Slash, read_command

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PYTHON_OF = {"bookworm": "3.11", "trixie": "3.13"}
"""What Debian's releases bring."""
WEB_DRAIN_S = 3
SCOPES_OF: Mapping[str, frozenset[str]] = {
    "chat_postMessage": frozenset({"chat:write"}),
    "chat_postEphemeral": frozenset({"chat:write"}),
    "chat_update": frozenset({"chat:write"}),
    "conversations_history": frozenset({"channels:history", "groups:history", "im:history"}),
    "conversations_replies": frozenset({"channels:history", "groups:history", "im:history"}),
    "conversations_open": frozenset({"im:write"}),
    "files_upload_v2": frozenset({"files:write"}),
}
"""By Slack's pages on its methods, for a bot in public and private channels and direct messages."""
MANIFEST_FIELDS = {
    "": {"display_information", "features", "oauth_config", "settings"},
    "display_information": {"name", "description", "long_description", "background_color"},
    "features": {"bot_user", "slash_commands", "app_home", "shortcuts"},
    "features.bot_user": {"display_name", "always_online"},
    "oauth_config": {"scopes", "redirect_urls"},
    "oauth_config.scopes": {"bot", "user"},
    "settings": {
        "interactivity", "org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled",
        "event_subscriptions", "allowed_ip_address_ranges",
    },
    "settings.interactivity": {"is_enabled", "request_url", "message_menu_options_url"},
}  # fmt: skip
"""By the type Manifest of npm @slack/web-api 8.2."""


class Line(NamedTuple):
    word: str
    rest: str


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


def dockerfile() -> Sequence[Line]:
    lines = [line for line in text_of("Dockerfile").splitlines() if line.strip() and line[0] != "#"]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Line(*line.split(" ", 1)) for line in joined.splitlines()]


def last(word: str) -> str:
    return next(line.rest for line in reversed(dockerfile()) if line.word == word)


def unit() -> Mapping[str, str]:
    pairs = re.findall(r"^([A-Za-z]+)=(.*)$", text_of("tokensleuth.service"), re.MULTILINE)
    return {name: " ".join(value for other, value in pairs if other == name) for name, _ in pairs}


def compose(*path: str) -> JsonValue:
    found: JsonValue = yaml.safe_load(text_of("compose.yaml"))
    for part in path:
        assert isinstance(found, dict)
        found = found[part]
    return found


def seconds(text: object) -> float:
    return float(str(text).removesuffix("s"))


def variables(text: str) -> set[str]:
    return set(re.findall(r"^#([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def runtime_lock() -> str:
    command = [sys.executable, str(DEPLOY / "runtime_requirements.py"), str(ROOT)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, re.MULTILINE))


def test_the_image_brings_a_python_that_the_project_is_made_for() -> None:
    release = last("ARG").removeprefix("DEBIAN=")
    assert {line.rest.split(" AS ")[0] for line in dockerfile() if line.word == "FROM"} == {
        "debian:${DEBIAN}-slim"
    }
    assert PYTHON_OF[release] in SpecifierSet(PROJECT["project"]["requires-python"])
    assert f"Programming Language :: Python :: {PYTHON_OF[release]}" in PROJECT["project"]["classifiers"]


def test_everything_from_the_registry_is_held_against_a_hash() -> None:
    commands = [part for line in dockerfile() if line.word == "RUN" for part in line.rest.split("&&")]
    of_pip = [part for part in commands if "/bin/pip " in part]
    assert len(of_pip) == 4
    assert all("--require-hashes" in part or "--no-index" in part for part in of_pip)


def test_the_image_runs_as_nobody_with_no_compiler_and_ends_on_sigterm() -> None:
    lines = dockerfile()
    runtime = lines[max(number for number, line in enumerate(lines) if line.word == "FROM") :]
    assert last("USER") == "10001:10001"
    assert last("STOPSIGNAL") == "SIGTERM"
    assert not re.search(r"gcc|build-essential|python3-dev|\bmake\b", " ".join(line.rest for line in runtime))


def test_port_and_health_address_are_those_of_the_web_inbox() -> None:
    port = str(Web().port)
    routes = (ROOT / "tokensleuth" / "web" / "app.py").read_text("utf-8")
    assert (last("EXPOSE"), f'"--port", "{port}"' in last("CMD")) == (port, True)
    assert f"'127.0.0.1', {port}," in last("HEALTHCHECK")
    assert re.search(r"'GET', '(.+?)'", last("HEALTHCHECK"))
    assert '"/healthz"' in routes
    assert "'/healthz'" in last("HEALTHCHECK")


def test_the_stores_lie_in_the_volume_and_in_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    home = re.search(r"XDG_DATA_HOME=(\S+)", last("ENV"))
    assert home
    monkeypatch.setenv("XDG_DATA_HOME", home[1])
    folder = str(Store().ledger.parent)
    assert (folder, folder) == (last("VOLUME"), f"/var/lib/{unit()['StateDirectory']}")
    assert f"XDG_DATA_HOME={home[1]}" in unit()["Environment"]
    assert f"state:{folder}" in str(compose("services", "tokensleuth", "volumes"))


def test_the_image_holds_the_packages_of_the_wheel_and_its_context_offers_them() -> None:
    copied = {
        source
        for line in dockerfile()
        if line.word == "COPY" and not line.rest.startswith("--from")
        for source in line.rest.split()[:-1]
    }
    assert {*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]} <= copied
    assert {line[1:] for line in text_of("Dockerfile.dockerignore").splitlines() if line[:1] == "!"} == copied


def test_the_proof_knows_every_word_of_the_dockerfile() -> None:
    known = set(re.findall(r"^    ([A-Z]+)\)", text_of("prove-image"), re.MULTILINE))
    assert {line.word for line in dockerfile()} <= known
    assert os.access(DEPLOY / "prove-image", os.X_OK)


def test_the_runtime_lock_is_part_of_the_lock_and_holds_nothing_of_the_tests() -> None:
    whole, part = (ROOT / "requirements.lock").read_text("utf-8"), runtime_lock()
    assert all(line in whole for line in part.splitlines())
    assert not names(part) & {"pytest", "mypy", "ruff", "moto", "playwright", "hypothesis", "pyarrow"}


def test_the_runtime_lock_holds_what_each_of_its_packages_requires() -> None:
    part = names(runtime_lock())
    for name in sorted(part & names((ROOT / "requirements.lock").read_text("utf-8"))):
        if name in ("colorama", "tzdata", "httpx2-jsfetch"):  # of other systems, not installed here
            continue
        needed = [Requirement(text) for text in requires(name) or []]
        here = {
            canonicalize_name(r.name) for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})
        }
        assert here <= part, name


def test_what_builds_the_wheel_is_locked_too() -> None:
    lock = text_of("build.lock")
    pinned = re.search(r"^hatchling==([0-9.]+)", lock, re.MULTILINE)
    assert pinned
    assert pinned[1] in Requirement(PROJECT["build-system"]["requires"][0]).specifier
    assert lock.count("--hash=sha256:") >= len(names(lock))


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.iterdir() if path.is_file()))
def test_no_file_names_a_registry_or_a_folder_of_a_developer(name: str) -> None:
    assert not re.search(r"pypi|pythonhosted|deb\.debian|registry\.npm|/work/|/root/", text_of(name))


def test_the_unit_gives_the_service_time_to_end_and_takes_no_refusal_for_a_crash() -> None:
    assert seconds(unit()["TimeoutStopSec"]) > DRAIN_S + WEB_DRAIN_S
    assert unit()["RestartPreventExitStatus"] == str(int(ExitCode.REFUSED))
    assert (unit()["Restart"], unit()["KillSignal"]) == ("on-failure", "SIGTERM")
    assert unit()["ExecStart"].split()[1:] == ["serve"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NoNewPrivileges", "true"), ("ProtectSystem", "strict"), ("ProtectHome", "true"),
        ("CapabilityBoundingSet", ""), ("PrivateTmp", "true"), ("UMask", "0077"),
        ("User", "tokensleuth"), ("StateDirectoryMode", "0700"), ("ReadOnlyPaths", "/etc/tokensleuth"),
    ],
)  # fmt: skip
def test_the_unit_is_hardened(name: str, value: str) -> None:
    assert unit()[name] == value


def test_compose_publishes_the_inbox_on_loopback_and_nothing_else() -> None:
    services = compose("services")
    assert isinstance(services, dict)
    published = {name: compose("services", name).get("ports") for name in services}  # type: ignore[union-attr]
    assert published == {"tokensleuth": [f"127.0.0.1:{Web().port}:{Web().port}"], "postgres": None}


def test_compose_hardens_the_service_and_waits_for_its_database() -> None:
    service = compose("services", "tokensleuth")
    assert isinstance(service, dict)
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert seconds(service["stop_grace_period"]) > DRAIN_S + WEB_DRAIN_S
    assert service["image"] == f"tokensleuth:{PROJECT['project']['version']}"


def test_the_casebook_of_compose_is_the_database_that_it_starts() -> None:
    settings = Settings.model_validate(tomllib.loads(text_of("compose.toml")))
    url = make_url(str(parse_url(settings.store.casebook_url)))
    database = compose("services", "postgres", "environment")
    assert isinstance(database, dict)
    assert (url.host, url.password) == ("postgres", None)
    assert (url.username, url.database) == (database["POSTGRES_USER"], database["POSTGRES_DB"])
    assert str(compose("services", "postgres", "image")).startswith("postgres:16")


def test_no_secret_of_compose_has_a_value() -> None:
    for value in re.findall(r"(?:SECRET|PASSWORD): (.+)", text_of("compose.yaml")):
        assert re.fullmatch(r"\$\{[A-Z_]+:\?set it in deploy/\.env\}", value)


def test_the_example_of_the_environment_has_every_secret_of_the_settings_and_no_other() -> None:
    sources = "\n".join(
        path.read_text("utf-8") for path in sorted((ROOT / "tokensleuth").rglob("settings*.py"))
    )
    found = set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|SECRET|URL))"', sources))
    known = found - {"OPENAI_API_KEY", "OPENAI_BASE_URL", "TOKENSLEUTH_LLM_BASE_URL"}
    of_others = {"POSTGRES_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}
    assert variables(text_of("env.example")) == known | of_others


def test_the_bot_asks_for_the_scopes_of_the_methods_that_are_called_and_for_no_more() -> None:
    adapter = (ROOT / "tokensleuth" / "slackapp" / "web_api.py").read_text("utf-8")
    called = set(re.findall(r"self\.client\.(\w+)\(", adapter))
    scopes = yaml.safe_load(text_of("slack-manifest.yaml"))["oauth_config"]["scopes"]["bot"]
    assert set(scopes) == frozenset({"commands"}).union(*(SCOPES_OF[method] for method in called))


def test_the_manifest_of_the_page_on_slack_asks_for_the_same() -> None:
    page = (ROOT / "docs" / "slack.md").read_text("utf-8")
    shown = re.search(r"bot: \[(.+?)\]", page)
    scopes = yaml.safe_load(text_of("slack-manifest.yaml"))["oauth_config"]["scopes"]["bot"]
    assert "deploy/slack-manifest.yaml" in page or (shown and set(shown[1].split(", ")) == set(scopes))


@pytest.mark.parametrize("place", sorted(MANIFEST_FIELDS))
def test_the_manifest_has_only_fields_that_slack_knows(place: str) -> None:
    found = yaml.safe_load(text_of("slack-manifest.yaml"))
    for part in filter(None, place.split(".")):
        found = found[part]
    assert set(found) <= MANIFEST_FIELDS[place]


def test_the_slash_command_of_the_manifest_is_the_one_that_is_understood() -> None:
    command = yaml.safe_load(text_of("slack-manifest.yaml"))["features"]["slash_commands"][0]["command"]
    sent = {"command": command, "team_id": "T01", "user_id": "U01", "channel_id": "C01", "text": "last-24h"}
    assert isinstance(read_command(sent), Slash)


def test_the_addresses_for_http_are_routes_of_the_web_inbox() -> None:
    routes = (ROOT / "tokensleuth" / "web" / "app.py").read_text("utf-8")
    paths = re.findall(r"url: https://tokensleuth\.example\.com(\S+)", text_of("slack-manifest.yaml"))
    assert sorted(paths) == ["/slack/actions", "/slack/commands"]
    assert all(f'"{path}"' in routes for path in paths)
