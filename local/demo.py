"""`python -m local.demo`: one generation that ends well and one that does not, on a stack of its own.

It ends with 0 only if all of it really happened.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from supabase import AuthError, FunctionsError, PostgrestAPIError, StorageException, acreate_client

from local import postgres
from local import stack as stacks
from local.phone import DemoFailed, Phone, expect
from local.stack import FOLDER, ROOT, Stack, UnusableStack
from local.timeline import Timeline, hearing_the_doorbell
from local.up import is_ready

REFUSALS = (AuthError, FunctionsError, PostgrestAPIError, StorageException)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where the data lies (default: %(default)s)"
    )
    folder = parser.parse_args().folder.resolve()
    os.umask(0o077)  # log and pictures, as the stack's own files
    postgres.ignore_environment()
    os.environ.update(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")  # a proxy has no business on loopback
    try:
        say("Starting Postgres, Redis, the gateway, the Edge Functions, the bridge and a worker…")
        with running_stack(folder) as stack:
            asyncio.run(show(stack))
    except (DemoFailed, UnusableStack, *REFUSALS) as failure:
        print(f"\nThe demo failed: {failure}\nWhat the processes said: {log_of(folder)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say("\nAll of it happened. `make up` keeps the same system running.")
    return 0


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """`make up` as a child. It lives as long as its standard input, so it ends with us even if we are killed."""
    stacks.make_private(log_of(folder).parent)
    command = [sys.executable, "-m", "local.up", "--attached", "--folder", str(folder)]
    with log_of(folder).open("wb") as log:
        up = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "LOG_FORMAT": "json"},  # passed on, not read
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not is_ready(folder, up.pid):
            expect(up.poll() is None, last_words(folder))
            time.sleep(0.05)
        yield stacks.load(folder)
    finally:
        up.communicate()


def log_of(folder: Path) -> Path:
    return folder.parent / "logs" / "demo.log"


def last_words(folder: Path) -> str:
    lines = log_of(folder).read_text(errors="replace").splitlines()
    said = [line.removeprefix("pilotlight: ") for line in lines if line.startswith("pilotlight: ")]
    return said[-1] if said else "the stack did not start"


async def show(stack: Stack) -> None:
    client = await acreate_client(stack.gateway_url, stack.publishable_key)
    phone = Phone(client)
    try:
        await phone.sign_in()
        say(f"\nSigned in as the anonymous user {phone.user_id}.")
        begun = time.perf_counter()
        await phone.warm()
        say(f"Warmed the function host with ping, which no app waits for ({since(begun):.0f} ms).")
        begun = time.perf_counter()
        say(f"Joined the private Realtime topic {await phone.join()} ({since(begun):.0f} ms).")
        await show_success(phone, stack)
        await show_failure(phone, stack)
    finally:
        await client.remove_all_channels()
        await client.auth.sign_out()


async def show_success(phone: Phone, stack: Stack) -> None:
    before = await phone.credits()
    prompt = "a lighthouse in the fog"
    say(f"\nTap: “{prompt}”. Credits: {before}.")
    job = await show_generation(phone, stack, prompt)
    expect(job["status"] == "succeeded", f"the job ended as {job['status']}: {job['error']}")
    picture = await phone.download(job["generation"]["output"][0]["path"], stack.folder.parent / "pictures")
    after = await phone.credits()
    expect(after == before - 1, f"a preview costs 1 credit, but {before} became {after}")
    say(f"Picture: {picture}\nCredits: {before} before, {after} after.")


async def show_failure(phone: Phone, stack: Stack) -> None:
    before = await phone.credits()
    prompt = "a forbidden lighthouse"
    say(f"\nTap: “{prompt}”, which the provider rejects. Credits: {before}.")
    job = await show_generation(phone, stack, prompt)
    expect(job["status"] == "failed", f"the job should have failed and ended as {job['status']}")
    generation = await phone.generation(job["id"])
    expect(generation["status"] == "failed", f"the generation says {generation['status']}")
    expect(generation["input"] == {"prompt": prompt}, f"the original input is not there: {generation}")
    after = await phone.credits()
    expect(after == before, f"a failed generation costs nothing, but {before} became {after}")
    say(f"Failed: {generation['error_code']}, “{generation['error_message']}”")
    say(f"The original input is still there: {json.dumps(generation['input'])}")
    say(f"Credits: {before} before, {after} after.")


async def show_generation(phone: Phone, stack: Stack, prompt: str) -> dict[str, Any]:
    timeline = Timeline()
    with hearing_the_doorbell(stack, timeline):
        job = await phone.generate(prompt, timeline)
    timeline.read_rows(stack, job["id"])
    timeline.read_log(log_of(stack.folder))
    say("\n".join(timeline.lines()))
    return job


def since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
