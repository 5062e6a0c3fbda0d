"""Each alarm of deploy/alerts.yaml fires when its condition is there, and no alarm fires when all
is well.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from bridge.loop import Bridge
from bridge.metrics import HELP
from tests.bridge.scrape import Scrape, scrape
from tests.support.jobs import Jobs
from tests.support.processes import ROOT
from tests.support.servers import Redis
from tests.support.store import NOW, period

DEPLOY = ROOT / "deploy"
(GROUP,) = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
RULES = {rule["alert"]: rule for rule in GROUP["rules"]}


def fired(seen: Scrape) -> set[str]:
    return {name for name, rule in RULES.items() if seen.fires(rule["expr"])}


Cause = Callable[[Bridge, Jobs, Redis], Scrape | None]


def no_bridge(bridge: Bridge, jobs: Jobs, broker: Redis) -> Scrape:
    return Scrape("")


def no_database(bridge: Bridge, jobs: Jobs, broker: Redis) -> Scrape:
    bridge.listener.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    bridge.run_until_database_lost()
    return Scrape(bridge.metrics.exposition().decode())


def no_broker(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    broker.kill()
    jobs.enqueue()


def no_metrics(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.conn.execute("drop function private.metrics()")


def too_few_workers(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    bridge.window = 1
    jobs.enqueue()
    bridge.run_once()
    jobs.conn.execute("alter table public.jobs disable trigger jobs_touch")
    jobs.move(jobs.enqueue(), updated_at="now() - interval '10 minutes'")


def no_worker(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    job_id = jobs.enqueue()
    bridge.run_once()
    jobs.move(job_id, dispatched_at="now() - interval '2 minutes'")


def no_rescue(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    bridge.rescue_at = float("inf")
    job_id = jobs.enqueue()
    jobs.actors.worker.claim(job_id)
    jobs.move(job_id, lease_expires_at="now() - interval '1 minute'")


def ended(code: str, times: int = 1) -> Cause:
    def cause(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
        for _ in range(times):
            job_id = jobs.enqueue()
            worker = jobs.actors.worker
            assert worker.fail(job_id, worker.claimed(job_id), code)

    return cause


def every_worker_lost(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    job_id = jobs.enqueue()
    for _ in range(int(jobs.get(job_id)["max_attempts"])):
        jobs.actors.worker.claim(job_id)
        jobs.operator.lose_worker(job_id)
        bridge.rescue_at = 0.0
        bridge.rescue()


def refused_account(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.conn.execute(
        "update private.provider_limits set failures = 5, paused_reason = 'no credit',"
        " paused_until = now() + interval '1 minute'"
    )


def silent_provider(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.conn.execute("update private.provider_limits set failures = 5")


def budget_nearly_used(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.conn.execute(
        "update private.provider_limits set starts_per_day = 5, anonymous_starts_per_day = 5"
        " where provider = 'replicate'"
    )
    jobs.conn.execute(
        "insert into private.provider_starts (provider, day, starts, anonymous_starts)"
        " values ('replicate', (now() at time zone 'utc')::date, 4, 3)"
    )


def open_report(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    job_id = jobs.enqueue()
    jobs.actors.worker.complete(job_id, jobs.actors.worker.claimed(job_id))
    jobs.user(jobs.user_id).value("select report_generation(%s, 'violent')", job_id)


def process_in_trouble(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.conn.execute("select private.record_process('host-1', 'worker', '1', 'Storage refuses the key')")


def wrong_balance(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.conn.execute("update public.entitlements set credits = credits + 1")
    jobs.conn.execute("select private.audit_ledger(1000)")


def unknown_product(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.actors.service.record(period("RENEWAL", 1, NOW, jobs.user_id, "1", NOW + 1))


def objects_stay(bridge: Bridge, jobs: Jobs, broker: Redis) -> None:
    jobs.conn.execute(
        "insert into private.removed_objects (bucket, path) select 'generations', n from generate_series(1, 1001) n"
    )


CAUSES: dict[str, Cause] = {
    "PilotlightBridgeMissing": no_bridge,
    "PilotlightDatabaseLost": no_database,
    "PilotlightBrokerLost": no_broker,
    "PilotlightTableNotRead": no_metrics,
    "PilotlightJobsWait": too_few_workers,
    "PilotlightNoWorker": no_worker,
    "PilotlightJobsOverdue": no_rescue,
    "PilotlightBug": ended("internal"),
    "PilotlightWorkersLost": every_worker_lost,
    "PilotlightManyFail": ended("timed_out", times=6),
    "PilotlightProviderRefusesUs": refused_account,
    "PilotlightProviderSilent": silent_provider,
    "PilotlightBudgetNearlyUsed": budget_nearly_used,
    "PilotlightReportsOpen": open_report,
    "PilotlightProcessInTrouble": process_in_trouble,
    "PilotlightLedgerWrong": wrong_balance,
    "PilotlightPurchasesNotApplied": unknown_product,
    "PilotlightObjectsNotRemoved": objects_stay,
}
# The condition itself would take gigabytes of notifications: the sample is written by hand.
BY_HAND = {
    "PilotlightNotificationsPileUp": "# TYPE pilotlight_notification_queue_fraction gauge\n"
    "pilotlight_notification_queue_fraction 0.6\n"
}
# No bridge at all: then there is no table either.
TOGETHER = {
    "PilotlightBridgeMissing": {"PilotlightTableNotRead"},
    "PilotlightDatabaseLost": {"PilotlightTableNotRead"},
    "PilotlightBrokerLost": {"PilotlightProcessInTrouble"},
}


@pytest.fixture
def watched(make_bridge: Callable[..., Bridge], own_broker: Redis) -> Iterator[Bridge]:
    bridge = make_bridge(own_broker.url)
    bridge.listener.listen()
    yield bridge


def test_every_alarm_has_a_cause() -> None:
    assert set(CAUSES) | set(BY_HAND) == set(RULES)


def test_no_alarm_fires_when_all_is_well(watched: Bridge, jobs: Jobs) -> None:
    job_id = jobs.enqueue()
    watched.run_once()
    jobs.actors.worker.complete(job_id, jobs.actors.worker.claimed(job_id))
    assert fired(scrape(watched)) == set()


@pytest.mark.parametrize("alarm", CAUSES)
def test_an_alarm_fires_when_its_condition_is_there(
    alarm: str, watched: Bridge, jobs: Jobs, own_broker: Redis
) -> None:
    seen = CAUSES[alarm](watched, jobs, own_broker) or scrape(watched)
    rule = RULES[alarm]
    assert seen.fires(rule["expr"])
    others = {
        name
        for name in RULES
        if name != alarm and can_be_told(seen, name) and seen.fires(RULES[name]["expr"])
    }
    assert others <= TOGETHER.get(alarm, set())


def can_be_told(seen: Scrape, alarm: str) -> bool:
    name = re.match(r"\w+", RULES[alarm]["expr"])
    return RULES[alarm]["expr"].startswith("absent") or any(name and s.name == name[0] for s in seen.samples)


@pytest.mark.parametrize("alarm", BY_HAND)
def test_an_alarm_whose_condition_is_too_large_fires_on_its_sample(alarm: str) -> None:
    assert Scrape(BY_HAND[alarm]).fires(RULES[alarm]["expr"])


@pytest.mark.parametrize("alarm", RULES)
def test_every_alarm_has_its_paragraph_and_the_other_way_round(alarm: str) -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert re.findall(r"^\*\*(Pilotlight\w+)\*\*: ", text, re.MULTILINE) == list(RULES)
    assert RULES[alarm]["labels"]["severity"] in ("page", "ticket")


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    dashboard = json.loads((DEPLOY / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    asked = {name for query in queries for name in re.findall(r"pilotlight_(\w+)", query)}
    of_process = {"database_up", "broker_up", "bridge_lag_seconds", "build_info", "log_events_total"}
    assert asked <= set(HELP) | of_process
    assert asked >= set(HELP) - {"provider_cancellations", "processes_in_trouble"}, (
        "what is not shown is not needed"
    )
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)


@pytest.mark.quick
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_reads_the_rules(tmp_path: Path) -> None:
    seen = subprocess.run(
        ["promtool", "check", "rules", str(DEPLOY / "alerts.yaml")], capture_output=True, text=True
    )
    assert seen.returncode == 0, seen.stdout + seen.stderr
