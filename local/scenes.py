"""The scenes of the demo, one after the other.

Each shows one feature, and raises DemoFailed unless it really worked.
"""

import io
import json
import time
import uuid
from pathlib import Path
from typing import Any

import av
import httpx
import psycopg
from PIL import Image, ImageChops, ImageDraw, ImageFilter
from supabase import acreate_client

from local.phone import DemoPhone, expect
from local.stack import Stack
from local.terminal import Terminal
from local.timeline import Timeline, followed

PACK = 100  # credits
FRAME = 1 / 24  # seconds; every third frame is shown, so the film plays at three times its speed


class Scenes:
    def __init__(self, stack: Stack, terminal: Terminal, log: Path, phone: DemoPhone) -> None:
        self.stack, self.terminal, self.log, self.phone = stack, terminal, log, phone
        self.folder = stack.folder.parent / "pictures"

    async def picture(self) -> None:
        job = await self.succeeds("a lighthouse in the fog", "preview", cost=1)
        content = await self.keep(job["generation"]["output"][0])
        self.terminal.say(*self.terminal.pictures(content))

    async def film(self) -> None:
        prompt = "snow over a village at night"
        job = await self.succeeds(prompt, "preview-video", cost=2)
        output = job["generation"]["output"][0]
        content = await self.keep(output)
        expect(output["kind"] == "video" and output["thumb"], f"this is no film: {output}")
        shown = frames(content)[::3]
        expect(len(shown) > 14, f"the film has {len(shown)} frames")
        for image in shown if self.terminal.draws else []:
            self.terminal.draw(*self.terminal.side_by_side([image]))
            time.sleep(FRAME)
        self.terminal.say(*self.terminal.side_by_side(shown[6:14:7]) if self.terminal.draws else [])

    async def painting(self) -> None:
        photo = a_photo()
        path = await self.phone.upload(photo)
        given = {"prompt": "an orange in the evening", "image": path}
        job = await self.succeeds(given["prompt"], "preview", cost=1, given=given)
        content = await self.keep(job["generation"]["output"][0])
        self.terminal.say(*self.terminal.pictures(photo, content))

    async def failure(self) -> None:
        prompt = "a forbidden lighthouse"
        before = await self.phone.credits()
        self.title(f"Tap: “{prompt}”, which the provider rejects. Credits: {before}.")
        job = await self.generation("preview", {"prompt": prompt})
        expect(job["status"] == "failed", f"the job should have failed and ended as {job['status']}")
        kept = await self.phone.generation(job["id"])
        expect(kept["status"] == "failed", f"the generation says {kept['status']}")
        expect(kept["input"] == {"prompt": prompt}, f"the original input is not there: {kept}")
        after, ledger = await self.phone.credits(), await self.phone.ledger(job["id"])
        expect(after == before, f"a failed generation costs nothing, but {before} became {after}")
        expect(ledger == ["hold -1", "refund +1"], f"the ledger says {ledger}")
        self.terminal.say(
            f"Failed: {kept['error_code']}, “{kept['error_message']}”",
            f"The original input is still there: {json.dumps(kept['input'])}",
            f"Credits: {before} before, {after} after. Ledger: {', '.join(ledger)}",
        )

    async def purchase(self) -> None:
        """Send the events of RevenueCat, each of them twice: the second changes nothing."""
        before = await self.phone.credits()
        self.title(f"A purchase of {PACK} credits, and its refund by the store. Credits: {before}.")
        bought = purchase_of(self.phone.user_id)
        refund = bought | {
            "type": "CANCELLATION",
            "cancel_reason": "CUSTOMER_SUPPORT",
            "id": str(uuid.uuid4()),
        }
        refund["event_timestamp_ms"] += 1000
        for event, effect, wanted in ((bought, "granted", before + PACK), (refund, "revoked", before)):
            said = await self.tell(event)
            expect(said == effect, f"the store's event was {said}, not {effect}")
            while (told := await self.phone.told_balance()) != wanted:
                expect(told != before + 2 * PACK, "a purchase counted twice")
            again = await self.tell(event)
            after = await self.phone.credits()
            expect(after == wanted, f"the balance should be {wanted} and is {after}")
            self.terminal.say(
                f"  {event['type']:<22} {effect}: {told} credits, as Realtime says. Sent again: {again}."
            )

    async def tell(self, event: dict[str, Any]) -> str:
        key = f"Bearer {self.stack.publishable_key}"
        async with httpx.AsyncClient() as http:
            answer = await http.post(
                f"{self.stack.gateway_url}/functions/v1/purchase_webhook",
                json={"api_version": "1.0", "event": event},
                headers={"Authorization": key},
            )
        expect(answer.status_code == 200, f"purchase_webhook answered {answer.status_code}: {answer.text}")
        return str(answer.json()["effect"])

    async def succeeds(
        self, prompt: str, model: str, *, cost: int, given: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        before = await self.phone.credits()
        of_photo = ", from a photo" if given else ""
        self.title(f"Tap: “{prompt}”{of_photo}, {model}. Credits: {before}.")
        job = await self.generation(model, given or {"prompt": prompt})
        expect(job["status"] == "succeeded", f"the job ended as {job['status']}: {job['error']}")
        after = await self.phone.credits()
        expect(after == before - cost, f"{model} costs {cost}, but {before} became {after}")
        self.terminal.say(f"Credits: {before} before, {after} after.")
        return job

    async def generation(self, model: str, given: dict[str, Any]) -> dict[str, Any]:
        timeline = Timeline(self.log)
        with followed(self.stack, timeline, self.terminal):
            job = await self.phone.generate(timeline, model, given)
        self.terminal.say(*timeline.lines())
        return job

    async def keep(self, output: dict[str, Any]) -> bytes:
        """Download the file, save it on this machine, and return its content."""
        content = await self.phone.download(output["path"])
        expect(len(content) == output["bytes"], f"{output['path']} has {len(content)} bytes")
        self.folder.mkdir(parents=True, exist_ok=True)
        path = Path(output["path"])
        file = self.folder / f"{path.parent.name}{path.suffix}"
        file.write_bytes(content)
        self.terminal.say(f"{output['kind'].capitalize()}: {from_here(file)}")
        return content

    def title(self, line: str) -> None:
        self.terminal.say("", self.terminal.bold(line))


async def show(stack: Stack, terminal: Terminal, log: Path) -> None:
    client = await acreate_client(stack.gateway_url, stack.publishable_key)
    phone = DemoPhone(client)
    try:
        await phone.sign_in()
        terminal.say(f"\nSigned in as the anonymous user {phone.user_id}.")
        begun = time.perf_counter()
        await phone.warm()
        terminal.say(f"Warmed the function host with ping, which no app waits for ({since(begun):.0f} ms).")
        begun = time.perf_counter()
        terminal.say(f"Joined the private Realtime topic {await phone.join()} ({since(begun):.0f} ms).")
        sell_packs(stack)
        scenes = Scenes(stack, terminal, log, phone)
        for scene in (scenes.picture, scenes.film, scenes.painting, scenes.failure, scenes.purchase):
            await scene()
    finally:
        await client.remove_all_channels()
        await client.auth.sign_out()


def from_here(file: Path) -> Path:
    """Return the path relative to the current folder, if it is in that folder."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


def sell_packs(stack: Stack) -> None:
    """Insert the product of the pack, as an operator does once for each product."""
    with psycopg.connect(stack.database_url) as conn:
        product = "insert into private.products (id, credits) values ('demo_pack', %s) on conflict do nothing"
        conn.execute(product, (PACK,))


def purchase_of(user_id: str) -> dict[str, Any]:
    transaction = str(uuid.uuid4())
    return {
        "id": str(uuid.uuid4()),
        "type": "NON_RENEWING_PURCHASE",
        "event_timestamp_ms": int(time.time() * 1000),
        "app_user_id": user_id,
        "original_app_user_id": user_id,
        "aliases": [user_id],
        "environment": "PRODUCTION",
        "store": "APP_STORE",
        "product_id": "demo_pack",
        "transaction_id": transaction,
        "original_transaction_id": transaction,
    }


def frames(film: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(film), "r") as container:
        return [
            frame.to_image()  # type: ignore[no-untyped-call]
            for frame in container.decode(video=0)
        ]


def a_photo() -> bytes:
    """Draw an orange in the light on a table, in place of a photo from a user's camera."""
    size, centre, radius = (512, 512), (256, 270), 150
    photo = Image.new("RGB", size, (96, 110, 118))
    draw = ImageDraw.Draw(photo)
    draw.rectangle((0, 330, 512, 512), fill=(128, 92, 62))
    draw.ellipse((150, 380, 470, 450), fill=(52, 34, 24))
    photo = photo.filter(ImageFilter.GaussianBlur(14))
    light = Image.radial_gradient("L").resize((620, 620)).crop((130, 150, 642, 662))
    tones = [toned(light, brightest) for brightest in (255, 150, 40)]
    mask = Image.new("L", size)
    box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    photo.paste(Image.merge("RGB", tones), mask=mask.filter(ImageFilter.GaussianBlur(1)))
    grain = Image.effect_noise(size, 18).convert("RGB")
    file = io.BytesIO()
    ImageChops.overlay(photo, grain).save(file, "JPEG", quality=90)
    return file.getvalue()


def toned(light: Image.Image, brightest: int) -> Image.Image:
    """Return one colour channel of the light, which falls off from the middle."""
    return light.point([max(12, brightest - part * brightest // 190) for part in range(256)])
