"""The cost of the gate, cold and warm, beside the gates that people write today.

Cold is a fresh Deno process from its start to its first answer, with everything compiled and cached
before. A hosted isolate starts without the process, so differences carry over, and ratios to the
empty function understate ours. Warm is one enqueue after another on kept-alive connections, through
the gate and directly to the RPC that the gate calls.
"""

import http.client
import json
import random
import resource
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import embedded
from bench.report import Report, at_least, command_line, percentile
from local.postgres import seed
from operate.migrate import migrate
from tests.edge import backend as backends
from tests.edge import functions
from tests.edge.backend import Backend
from tests.support import deno
from tests.support.jobs import Jobs

COMPARED = Path(__file__).parent / "compared"
OURS = {name: functions.FUNCTIONS / name / "index.ts" for name in functions.NAMES}
THEIRS = {name: COMPARED / f"{name}.ts" for name in ("supabase_js", "supabase_server")}
EMPTY = {"empty": COMPARED / "empty.ts"}
PASS_THROUGH = {"pass_through": COMPARED / "pass_through.ts"}
ENQUEUES = {"enqueue_generation": OURS["enqueue_generation"], **PASS_THROUGH, **THEIRS}

# All start with as few options as possible. A function with dependencies needs its configuration.
OPTIONS = ("--cached-only", "--no-check")
PLAIN = (*OPTIONS, "--no-config")

WARM_UP = 3  # rounds that are not counted; they fill the caches for all functions alike
WARM_UP_REQUESTS = 50
Samples = dict[str, list[float]]


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--cold", type=at_least(1), default=100, help="fresh processes of each function")
    parser.add_argument("--warm", type=at_least(1), default=600, help="requests of each kind")
    asked = parser.parse_args()
    report = Report("edge", asked.results)
    download()
    with backend() as (real, jobs):
        headers = real.headers(jobs.user_id)
        environment = function_environment(real)
        boots, boots_used = cold({**EMPTY, **OURS, **THEIRS}, asked.cold, environment, warm_call)
        taps, taps_used = cold(ENQUEUES, asked.cold, environment, lambda port, name: tap(port, name, headers))
        latencies = warm(real, asked.warm, environment, headers)
    report.title("Edge Functions")
    report.write(
        f"\nMedians of {asked.cold} fresh processes and of {asked.warm} warm requests each, interleaved.\n"
    )
    write(report, "cold boot to the first answer (warm call)", boots, "empty", boots_used)
    write(report, "cold boot to the first accepted enqueue", taps, "supabase_js", taps_used)
    write(report, "warm enqueue", latencies, "bare RPC")
    report.table(["Target", "measured", "at most", "verdict"], judged(boots, latencies))
    report.save()


def download() -> None:
    """Download the packages of the compared gates, at the versions and hashes of deno.lock."""
    command = [str(deno.DENO), "install", "--frozen", "--entrypoint", *map(str, THEIRS.values())]
    subprocess.run(
        command, env=deno.ENVIRONMENT_WITH_PACKAGES, cwd=COMPARED, check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def backend() -> Iterator[tuple[Backend, Jobs]]:
    # Without fsync the bare RPC is fastest, so the share of the gate is largest.
    with embedded.supabase(fsync="off") as stack:
        migrate(stack.database_url)
        seed(stack.database_url)
        with Jobs(stack.database_url) as jobs, backends.running(stack, b"secret") as real:
            yield real, jobs


def function_environment(real: Backend) -> dict[str, str]:
    keys = {"publishable": real.stack.publishable_key, "secret": real.stack.secret_key}
    return functions.function_environment(real.stack.gateway_url, real.issuer, keys, b"secret")


def cold(
    scripts: dict[str, Path],
    count: int,
    environment: dict[str, str],
    first_call: Callable[[int, str], None],
) -> tuple[Samples, Samples]:
    """Return the milliseconds from the start of each process to its first answer.

    Return also the milliseconds of processor time that each process used until its end.
    """
    samples: Samples = {name: [] for name in scripts}
    used: Samples = {name: [] for name in scripts}
    for number in range(-WARM_UP, count):
        for name in random.sample(list(scripts), len(scripts)):
            begun, idle = time.perf_counter(), processor_time_of_ended_processes()
            with deno.process(scripts[name], environment, *options(name)) as origin:
                first_call(int(origin.rpartition(":")[2]), name)
                taken = time.perf_counter() - begun
            if number >= 0:
                samples[name].append(taken * 1000)
                used[name].append((processor_time_of_ended_processes() - idle) * 1000)
    return samples, used


def processor_time_of_ended_processes() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def options(name: str) -> tuple[str, ...]:
    return OPTIONS if name in THEIRS else PLAIN


def warm_call(port: int, name: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET" if name == "ping" else "OPTIONS", f"/{name}")
    assert connection.getresponse().status == 204
    connection.close()


def tap(port: int, name: str, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    enqueue(connection, f"/{name}", headers, "")
    connection.close()


def enqueue(connection: http.client.HTTPConnection, path: str, headers: dict[str, str], prefix: str) -> None:
    request = {"id": str(uuid.uuid4()), "model": "preview", "input": {"prompt": "a lighthouse at dusk"}}
    body = json.dumps({prefix + name: value for name, value in request.items()})
    connection.request("POST", path, body, {**headers, "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status in (200, 202), text


def warm(real: Backend, count: int, environment: dict[str, str], headers: dict[str, str]) -> Samples:
    """Return the milliseconds of each enqueue. The ways take turns, in a random order."""
    with ExitStack() as opened:
        ways = {"bare RPC": (real.stack.gateway_port, "/rest/v1/rpc/enqueue_generation", "p_")}
        for name, script in ENQUEUES.items():
            origin = opened.enter_context(deno.process(script, environment, *options(name)))
            ways[name] = (int(origin.rpartition(":")[2]), f"/{name}", "")
        connections = {
            name: http.client.HTTPConnection("127.0.0.1", port) for name, (port, *_) in ways.items()
        }
        samples: Samples = {name: [] for name in ways}
        for number in range(-WARM_UP_REQUESTS, count):
            for name, (_, path, prefix) in random.sample(list(ways.items()), len(ways)):
                begun = time.perf_counter()
                enqueue(connections[name], path, headers, prefix)
                if number >= 0:
                    samples[name].append((time.perf_counter() - begun) * 1000)
    return samples


def write(report: Report, title: str, samples: Samples, base: str, used: Samples | None = None) -> None:
    """Add a table to the report.

    Args:
        used: the processor time, the figure that a busy machine disturbs least.
    """
    medians = {name: statistics.median(values) for name, values in samples.items()}
    report.table(
        [title, "median ms", "p90 ms", f"x {base}", *(["CPU ms"] if used else [])],
        [
            (
                name,
                medians[name],
                percentile(values, 0.9),
                medians[name] / medians[base],
                *([statistics.median(used[name])] if used else []),
            )
            for name, values in samples.items()
        ],
    )


def judged(boots: Samples, latencies: Samples) -> Iterator[tuple[str, float, float, str]]:
    for what, ratio, target in (
        ("slowest cold boot, x the empty function", slowest(boots, "empty"), 1.15),
        ("slowest cold boot, x supabase-js", slowest(boots, "supabase_js"), 0.5),
        ("warm enqueue, x the bare RPC", slowest(latencies, "bare RPC", ["enqueue_generation"]), 1.3),
    ):
        yield what, ratio, target, "met" if ratio <= target else "missed"


def slowest(samples: Samples, base: str, names: Iterable[str] = OURS) -> float:
    return max(statistics.median(samples[name]) for name in names) / statistics.median(samples[base])


if __name__ == "__main__":
    main()
