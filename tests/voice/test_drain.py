"""What a web process that is being stopped does with announcements: its own, and those nobody has taken."""

import asyncio

from tests.voice.world import Door, Web, until


async def test_an_announcement_in_hand_holds_the_drain_up_until_it_is_over(realtime):
    async with Web(Door()) as web:
        await web.claimed(1)
        draining = asyncio.create_task(web.hub.drain())
        await asyncio.sleep(0.5)
        assert not draining.done() and web.hub.legs
        web.hub.legs[0].note("close")
        await asyncio.wait_for(draining, 5)


async def test_the_drain_has_an_end(realtime, settings):
    settings.DRAIN_SECONDS = 0.3
    async with Web(Door()) as web:
        await web.claimed(1)
        await asyncio.wait_for(web.hub.drain(), 2)
        assert web.hub.legs


async def test_while_it_drains_a_process_leaves_announcements_to_others_first(realtime):
    asked = []

    class Watched(Door):
        async def claim_audio(self, process_id, limit=10, waited=0.0):
            asked.append(waited)
            return await super().claim_audio(process_id, limit, waited)

    async with Web(Watched()) as web:
        await until(lambda: asked, what="a claim")
        assert asked[-1] == 0
        await web.hub.drain()
        web.hub._wake.set()
        await until(lambda: asked[-1] > 1, what="the patience")
