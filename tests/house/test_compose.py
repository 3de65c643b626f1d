"""The compose file cannot be run here; so everything it names is looked up: files, commands, variables, ports."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

import pytest
import typer.main
import yaml
from exposed import ROOT

from config.settings import PREFIX, Settings

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OURS = ("setup", "worker", "gateway")
KEYS = {
    *("image", "build", "restart", "stop_grace_period", "env_file", "environment", "volumes", "command"),
    *("depends_on", "healthcheck", "ports", "configs"),
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}

each_service = pytest.mark.parametrize("name", SERVICES)


def mounts(name: str) -> list[tuple[str, str]]:
    return [tuple(volume.split(":")[:2]) for volume in SERVICES[name].get("volumes", ())]


def variables() -> set[str]:
    return set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", TEXT + DOCKERFILE)) - {f"{PREFIX}名称"}


def setting(name: str) -> Any:
    """Return what the services of ours are told for a setting, or its default."""
    told = SERVICES["worker"]["environment"].get(f"{PREFIX}{name.upper()}")
    return Settings.model_fields[name].default if told is None else told


def test_it_has_only_the_parts_that_compose_knows():
    assert {key for key in COMPOSE if not key.startswith("x-")} <= {"name", "services", "configs", "volumes"}


@each_service
def test_a_service_has_only_keys_that_compose_knows(name):
    assert set(SERVICES[name]) <= KEYS


@each_service
def test_an_image_is_pinned_by_a_tag_that_is_a_version(name):
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert re.match(r"v?\d+(\.\d+)+(-\w+)?$", tag), SERVICES[name]["image"]


@each_service
def test_a_service_comes_back_after_it_failed(name):
    assert SERVICES[name]["restart"] == ("on-failure" if name == "setup" else "unless-stopped")


@each_service
def test_a_service_that_stays_says_whether_it_is_well(name):
    if name != "setup":
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@each_service
def test_a_service_waits_only_for_services_that_exist(name):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] in CONDITIONS
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]


@each_service
def test_a_volume_is_declared_and_a_mounted_file_exists(name):
    for source, _ in mounts(name):
        if source.startswith("."):
            assert (ROOT / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@each_service
def test_a_config_is_declared(name):
    assert all(one["source"] in COMPOSE["configs"] for one in SERVICES[name].get("configs", ()))


def test_every_declared_volume_is_used():
    used = {source for name in SERVICES for source, _ in mounts(name) if not source.startswith(".")}
    assert used == set(COMPOSE["volumes"])


@each_service
def test_ports_are_published_to_this_machine_only(name):
    for port in SERVICES[name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_kafka_is_one_broker_in_kraft_mode_that_makes_no_topics_by_itself():
    told = SERVICES["kafka"]["environment"]
    assert SERVICES["kafka"]["image"].startswith("apache/kafka:4.")
    assert told["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert told["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert not any("ZOOKEEPER" in key for key in told)


def test_no_secret_stands_in_the_file():
    for name in SERVICES:
        for key, value in SERVICES[name].get("environment", {}).items():
            if "PASSWORD" in key or "TOKEN" in key or "KEY" in key:
                assert str(value).startswith("${"), key


def test_every_variable_of_ours_is_a_setting():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert variables() - {f"{PREFIX}NAME"} <= known


def test_the_settings_read_what_the_services_are_told(monkeypatch):
    for variable, value in SERVICES["worker"]["environment"].items():
        monkeypatch.setenv(variable, str(value).replace("${POSTGRES_PASSWORD:?set it in .env}", "secret"))
    read = Settings()
    assert read.kafka == ("kafka:9092",)
    assert read.ledger == "postgresql://jiaoying:secret@postgres:5432/jiaoying"
    assert read.rehearsal
    assert read.carrier == "simulated"


def test_all_processes_of_ours_are_told_the_same():
    told = [{key: SERVICES[name][key] for key in ("image", "environment", "volumes")} for name in OURS]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_runs_a_command_that_exists(name):
    from streams.cli.root import app

    commands = typer.main.get_command(app).commands
    assert 'ENTRYPOINT ["jiaoying"]' in DOCKERFILE
    assert SERVICES[name]["command"] == [name]
    assert name in commands


def test_the_commands_that_the_comments_tell_to_run_exist():
    from streams.cli.root import app

    groups = typer.main.get_command(app).commands
    for group, command in re.findall(r"run --rm setup (\w+) (\w+)", TEXT):
        assert command in groups[group].commands


def test_the_ports_are_those_of_the_settings():
    http, metrics = setting("port"), setting("metrics_port")
    assert SERVICES["gateway"]["ports"] == [f"127.0.0.1:{http}:{http}"]
    assert f":{http}/ready" in SERVICES["gateway"]["healthcheck"]["test"][-1]
    assert f":{metrics}/metrics" in SERVICES["worker"]["healthcheck"]["test"][-1]
    assert f"EXPOSE {http} {metrics}" in DOCKERFILE
    assert f"http://127.0.0.1:{http}/" in TEXT


def test_the_processes_can_be_reached_from_beside_them():
    assert setting("host") == "0.0.0.0"


def test_prometheus_asks_the_services_at_their_ports():
    scrape = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    asked = {job["job_name"]: job["static_configs"][0]["targets"] for job in scrape["scrape_configs"]}
    assert asked == {
        "jiaoying-worker": [f"worker:{setting('metrics_port')}"],
        "jiaoying-gateway": [f"gateway:{setting('port')}"],
    }
    mounted = {target for _, target in mounts("prometheus")} | {
        one["target"] for one in SERVICES["prometheus"]["configs"]
    }
    token = scrape["scrape_configs"][1]["authorization"]["credentials_file"]
    assert {*scrape["rule_files"], token, "/etc/prometheus/prometheus.yml"} <= mounted


def test_grafana_finds_its_source_and_its_dashboard():
    source = yaml.safe_load((ROOT / "config/grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    host, port = source["datasources"][0]["url"].removeprefix("http://").split(":")
    assert SERVICES[host]["ports"] == [f"127.0.0.1:{port}:{port}"]
    boards = yaml.safe_load((ROOT / "config/grafana/provisioning/dashboards/jiaoying.yml").read_text("utf-8"))
    folder = boards["providers"][0]["options"]["path"]
    home = PurePosixPath(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert dict(map(reversed, mounts("grafana")))[folder] == "./config/grafana/dashboards"
    assert str(home.parent) == folder
    assert (ROOT / "config/grafana/dashboards" / home.name).exists()


def test_the_image_is_made_of_files_that_exist_and_are_not_ignored():
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), f"{source} is copied by the Dockerfile"
            assert f"!{source}" in kept, f"{source} is kept out by .dockerignore"


def test_the_image_does_not_run_as_root():
    assert re.search(r"^USER jiaoying$", DOCKERFILE, re.MULTILINE)
