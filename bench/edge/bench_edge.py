"""What the gate costs, cold and warm, beside what people write today.

Cold is a fresh Deno process from its start to its first answer, everything compiled and cached before; a hosted isolate
starts without the process, so differences carry over and ratios to the empty function understate ours. Warm is one
enqueue after another on kept connections, through the gate and straight to the RPC that the gate calls.
"""

import argparse
import http.client
import json
import random
import resource
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local import postgres as embedded_postgres
from local import stack as stacks
from local.migrate import migrate, seed
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

# All start as plainly as they can; what has dependencies needs its configuration to find them.
OPTIONS = ("--cached-only", "--no-check")
PLAIN = (*OPTIONS, "--no-config")

WARM_UP = 3  # rounds that are not counted: they fill the caches of all alike
Samples = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", type=int, default=100, help="fresh processes of each function")
    parser.add_argument("--warm", type=int, default=600, help="requests of each kind")
    asked = parser.parse_args()
    download()
    with backend() as (real, jobs):
        headers = real.headers(jobs.user_id)
        environment = function_environment(real)
        boots, boots_used = cold({**EMPTY, **OURS, **THEIRS}, asked.cold, environment, warm_call)
        taps, taps_used = cold(ENQUEUES, asked.cold, environment, lambda port, name: tap(port, name, headers))
        latencies = warm(real, asked.warm, environment, headers)
    print(f"Medians of {asked.cold} fresh processes and of {asked.warm} warm requests each, interleaved.\n")
    report("cold boot to the first answer (warm call)", boots, "empty", boots_used)
    report("cold boot to the first accepted enqueue", taps, "supabase_js", taps_used)
    report("warm enqueue", latencies, "bare RPC")
    judge(boots, latencies)


def download() -> None:
    """The packages of what we compare with, at the versions and hashes of deno.lock."""
    command = [str(deno.DENO), "install", "--frozen", "--entrypoint", *map(str, THEIRS.values())]
    subprocess.run(
        command, env=deno.ENVIRONMENT_WITH_PACKAGES, cwd=COMPARED, check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def backend() -> Iterator[tuple[Backend, Jobs]]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        Path(folder).chmod(0o755)  # Postgres may run as another user
        stack = stacks.with_free_ports(stacks.create(Path(folder)))
        stacks.save(stack)
        # Without fsync the bare RPC is at its quickest, and what the gate adds to it weighs most.
        opened.enter_context(embedded_postgres.running(stack, fsync="off"))
        embedded_postgres.bring_supabase(stack)
        migrate(stack.database_url)
        seed(stack.database_url)
        jobs = opened.enter_context(Jobs(stack.database_url))
        yield opened.enter_context(backends.running(stack, b"secret")), jobs


def function_environment(real: Backend) -> dict[str, str]:
    keys = {"publishable": real.stack.publishable_key, "secret": real.stack.secret_key}
    return functions.function_environment(real.stack.gateway_url, real.issuer, keys, b"secret")


def cold(
    scripts: dict[str, Path],
    count: int,
    environment: dict[str, str],
    first_call: Callable[[int, str], None],
) -> tuple[Samples, Samples]:
    """Milliseconds from the start of a process to its first answer, and those of processor it took till its end."""
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
    """Milliseconds of one enqueue, each way in turn."""
    with ExitStack() as opened:
        ways = {"bare RPC": (real.stack.gateway_port, "/rest/v1/rpc/enqueue_generation", "p_")}
        for name, script in ENQUEUES.items():
            origin = opened.enter_context(deno.process(script, environment, *options(name)))
            ways[name] = (int(origin.rpartition(":")[2]), f"/{name}", "")
        connections = {
            name: http.client.HTTPConnection("127.0.0.1", port) for name, (port, *_) in ways.items()
        }
        samples: Samples = {name: [] for name in ways}
        for number in range(-50, count):
            for name, (_, path, prefix) in random.sample(list(ways.items()), len(ways)):
                begun = time.perf_counter()
                enqueue(connections[name], path, headers, prefix)
                if number >= 0:
                    samples[name].append((time.perf_counter() - begun) * 1000)
    return samples


def report(title: str, samples: Samples, base: str, used: Samples | None = None) -> None:
    """`used`, the processor time, is what a busy machine disturbs least."""
    print(f"| {title} | median ms | p90 ms | x {base} |{' CPU ms |' if used else ''}")
    print(f"|---|---:|---:|---:|{'---:|' if used else ''}")
    medians = {name: statistics.median(values) for name, values in samples.items()}
    for name, values in samples.items():
        p90 = statistics.quantiles(values, n=10)[-1]
        row = f"| {name} | {medians[name]:.1f} | {p90:.1f} | {medians[name] / medians[base]:.2f} |"
        print(row + (f" {statistics.median(used[name]):.0f} |" if used else ""))
    print()


def judge(boots: Samples, latencies: Samples) -> None:
    for what, ratio, target in (
        ("slowest cold boot, x the empty function", slowest(boots, "empty"), 1.15),
        ("slowest cold boot, x supabase-js", slowest(boots, "supabase_js"), 0.5),
        ("warm enqueue, x the bare RPC", slowest(latencies, "bare RPC", ["enqueue_generation"]), 1.3),
    ):
        print(f"{'met   ' if ratio <= target else 'MISSED'} {what}: {ratio:.2f}, target {target}")


def slowest(samples: Samples, base: str, names: Iterable[str] = OURS) -> float:
    return max(statistics.median(samples[name]) for name in names) / statistics.median(samples[base])


if __name__ == "__main__":
    main()
