"""The actions of an app, with the real client over HTTP and the websocket.

None of them needs the rights of a server.
"""

import asyncio
import json
import uuid
from typing import Any

import httpx
from realtime import RealtimeSubscribeStates
from supabase import AsyncClient

from local.timeline import Timeline

TERMINAL = ("succeeded", "failed", "canceled")
NEWS_WITHIN = 60.0  # seconds


class DemoFailed(Exception):
    """A step of the demo did not happen; the message names it."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise DemoFailed(what)


class DemoPhone:
    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.user_id = ""
        self.waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}  # by job id
        self.balances: asyncio.Queue[int] = asyncio.Queue()  # received from Realtime

    async def sign_in(self) -> None:
        answer = await self.client.auth.sign_in_anonymously()
        if answer.user is None or answer.session is None:
            raise DemoFailed("no anonymous user was made")
        self.user_id = answer.user.id
        await self.client.realtime.set_auth(answer.session.access_token)

    async def warm(self) -> None:
        await self.client.functions.invoke("ping", {"method": "GET"})

    async def join(self) -> str:
        """Join this user's private topic, which carries each change of a job, and return it."""
        topic = f"user:{self.user_id}"
        joined: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def note(status: RealtimeSubscribeStates, error: Exception | None) -> None:
            if not joined.done():
                joined.set_result(f"{status.value} {error or ''}".strip())

        options: Any = {"config": {"private": True}}  # the type requires every key
        channel = self.client.channel(topic, options).on_broadcast("job", self.receive)
        await channel.on_broadcast("account", self.hear_balance).subscribe(note)
        said = await asyncio.wait_for(joined, NEWS_WITHIN)
        expect(said == "SUBSCRIBED", f"Realtime refused the own topic: {said}")
        return topic

    def receive(self, message: Any) -> None:
        job = message["payload"]
        future = self.waiting.get(job["id"])
        if future is not None and not future.done() and job["status"] in TERMINAL:
            future.set_result(job)

    def hear_balance(self, message: Any) -> None:
        self.balances.put_nowait(int(message["payload"]["credits"]))

    async def told_balance(self) -> int:
        """Return the next balance from Realtime, sent after a grant, a revoke or a purchase."""
        try:
            return await asyncio.wait_for(self.balances.get(), NEWS_WITHIN)
        except TimeoutError:
            raise DemoFailed(f"Realtime said nothing of the balance within {NEWS_WITHIN:.0f} s") from None

    async def upload(self, photo: bytes) -> str:
        """Upload a photo for a model into the user's own folder, and return its path."""
        path = f"{self.user_id}/{uuid.uuid4()}.jpg"
        await self.client.storage.from_("inputs").upload(path, photo, {"content-type": "image/jpeg"})
        return path

    async def generate(self, timeline: Timeline, model: str, given: dict[str, Any]) -> dict[str, Any]:
        """Enqueue a job, as a tap does, and wait until Realtime broadcasts its end."""
        job_id = str(uuid.uuid4())  # made here, so that a tap repeated by a bad network is one job
        ended = self.waiting[job_id] = asyncio.get_running_loop().create_future()
        body = {"id": job_id, "model": model, "input": given}
        timeline.begin(job_id)
        answer = await self.client.functions.invoke("enqueue_generation", {"body": body})
        timeline.mark("accepted")
        accepted = answer if isinstance(answer, dict) else json.loads(answer)
        expect(accepted["job"]["id"] == job_id, f"the job was not accepted: {accepted}")
        try:
            job: dict[str, Any] = await asyncio.wait_for(ended, NEWS_WITHIN)
        except TimeoutError:
            raise DemoFailed(f"Realtime said nothing of the end within {NEWS_WITHIN:.0f} s") from None
        timeline.mark("visible")
        return job

    async def credits(self) -> int:
        answer = await self.client.table("entitlements").select("credits").single().execute()
        row: Any = answer.data
        return int(row["credits"])

    async def generation(self, job_id: str) -> dict[str, Any]:
        answer = await self.client.table("generations").select("*").eq("id", job_id).execute()
        rows: Any = answer.data
        expect(len(rows) == 1, f"there should be one generation and there are {len(rows)}")
        return dict(rows[0])

    async def ledger(self, job_id: str) -> list[str]:
        """Return the credit entries of this job, in order."""
        entries = self.client.table("credit_entries").select("kind, amount").eq("job_id", job_id).order("id")
        rows: Any = (await entries.execute()).data
        return [f"{row['kind']} {row['amount']:+d}" for row in rows]

    async def download(self, path: str) -> bytes:
        """Download a file through a signed URL, as an image view does."""
        signed = await self.client.storage.from_("generations").create_signed_url(path, 60)
        async with httpx.AsyncClient() as http:
            answer = await http.get(signed["signedURL"] or "")
        expect(answer.status_code == 200, f"the signed URL answered {answer.status_code}")
        return answer.content
