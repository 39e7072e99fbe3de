"""The stories a switch has to live through, each with a person at both ends. What they say is in tones.py."""

from collections.abc import Awaitable, Callable
from time import monotonic

from calls.certify import tones
from calls.certify.legs import ANSWERS, BUSY
from calls.certify.scene import Scene, StoryFailed

Story = Callable[[Scene], Awaitable[None]]
GRACE_SECONDS = 8.0
"""An agent whose caller has gone is hung up within this."""


async def accepted(scene: Scene) -> None:
    agent = await scene.announced()
    await agent.say(tones.YES, tones.ANSWER_MS)
    # The caller is muted and hears the agent all the time: in his ear the yes ends when it really ends.
    ear = scene.caller.ear
    said = tones.ANSWER_MS / 1000 * 0.8
    await scene.until(lambda: ear.seconds(tones.YES) > said, "the caller did not hear the agent's side")
    await scene.until(lambda: agent.ear.seconds(tones.CALLER) > 0.1, "the agent was not put through")
    answered = ear.spans(tones.YES)[-1].end
    await scene.talk(agent, since=answered)
    put_through = agent.ear.spans(tones.CALLER)[0].start
    scene.measures.note("spoken yes to put through", (put_through - answered) * 1000)
    scene.announced_to_the_agent_alone()
    await agent.hang_up()
    await scene.home("accepted")
    await scene.ended("accepted", "accepted", "voice")


async def rejected(scene: Scene) -> None:
    agent = await scene.announced()
    await agent.say(tones.NO, tones.ANSWER_MS)
    await scene.told()
    await scene.home("rejected")
    await scene.ended("rejected", "rejected", "voice")
    await scene.let_go(agent)
    scene.never_together(agent)
    scene.check(scene.transfer["reason"] == tones.REASON, "the reason was lost")


async def key_1(scene: Scene) -> None:
    agent = await scene.announced()
    pressed = monotonic()
    await agent.press("1")
    await scene.talk(agent, since=pressed)
    scene.measures.note("key to put through", (agent.ear.spans(tones.CALLER)[0].start - pressed) * 1000)
    scene.announced_to_the_agent_alone()
    await agent.hang_up()
    await scene.home("accepted")
    await scene.ended("accepted", "accepted", "key")


async def timeout(scene: Scene) -> None:
    agent = await scene.announced()
    await scene.told()
    await scene.home("timeout")
    await scene.ended("timeout", "timeout")
    await scene.let_go(agent)
    scene.never_together(agent)


async def busy(scene: Scene) -> None:
    await scene.told()
    await scene.home("busy")
    await scene.ended("busy", None)


async def agent_hangs_up(scene: Scene) -> None:
    agent = await scene.board.agent(scene.desk.number)
    await scene.until(lambda: agent.ear.seconds(tones.ANNOUNCER) > 0.5, "the agent did not hear the announcement")
    await agent.hang_up()
    await scene.told()
    await scene.home("rejected")
    await scene.ended("rejected", "rejected")
    scene.never_together(agent)


async def caller_hangs_up(scene: Scene) -> None:
    agent = await scene.board.agent(scene.desk.number)
    await scene.until(lambda: agent.ear.seconds(tones.ANNOUNCER) > 0.5, "the agent did not hear the announcement")
    left = monotonic()
    await scene.caller.hang_up()
    await scene.ended("caller_left", None)
    await scene.let_go(agent, GRACE_SECONDS)
    scene.check(agent.ear.loud_seconds(left + 1.0) > 0.3, "the agent was not told that the caller had left")
    scene.never_together(agent, until=left)


async def kicked(scene: Scene) -> None:
    """Somebody throws the caller out of the conference by hand, in the middle of the talk."""
    agent = await scene.announced()
    pressed = monotonic()
    await agent.press("1")
    await scene.talk(agent, since=pressed)
    conference = scene.transfer["conference"]
    await scene.board.esl.api(f"conference {conference} kick uuid={scene.caller.near}")
    await scene.home("accepted")
    await scene.let_go(agent, GRACE_SECONDS)
    await scene.ended("accepted", "accepted", "key")


async def audio_socket_lost(scene: Scene) -> None:
    """The network between switch and web server loses the announcer's socket: he begins again."""
    agent = await scene.board.agent(scene.desk.number)
    await scene.until(lambda: agent.ear.seconds(tones.ANNOUNCER) > 0.5, "the agent did not hear the announcement")
    if not scene.relay.cut(await scene.house.token_of(scene.transfer["id"])):
        raise StoryFailed("there was no audio socket to lose")
    lost = monotonic()
    again = 1.8
    await scene.until(
        lambda: agent.ear.seconds(tones.ANNOUNCER, since=lost + 0.2) > again, "the announcement did not begin again"
    )
    heard_again = next(span for span in agent.ear.spans(tones.ANNOUNCER) if span.start > lost + 0.1)
    scene.measures.note("socket lost to words again", (heard_again.start - lost) * 1000)
    pressed = monotonic()
    await agent.press("1")
    await scene.talk(agent, since=pressed)
    await agent.hang_up()
    await scene.home("accepted")
    await scene.ended("accepted", "accepted", "key")


async def dead_man(scene: Scene) -> None:
    """Our processes die while the agent listens: the switch's own timer takes the caller home."""
    agent = await scene.board.agent(scene.desk.number)
    await scene.until(lambda: agent.ear.seconds(tones.ANNOUNCER) > 0.5, "the agent did not hear the announcement")
    died = monotonic()
    scene.house.kill("switch", "web")
    await scene.home("pending", patience=40.0)
    scene.measures.note("died to home", (monotonic() - died) * 1000)
    await scene.let_go(agent, GRACE_SECONDS)
    scene.never_together(agent)


STORIES: dict[str, tuple[str, Story]] = {
    "accepted": (ANSWERS, accepted),
    "rejected": (ANSWERS, rejected),
    "key_1": (ANSWERS, key_1),
    "timeout": (ANSWERS, timeout),
    "busy": (BUSY, busy),
    "agent_hangs_up": (ANSWERS, agent_hangs_up),
    "caller_hangs_up": (ANSWERS, caller_hangs_up),
    "kicked": (ANSWERS, kicked),
    "audio_socket_lost": (ANSWERS, audio_socket_lost),
}
"""Name -> what the extension does, and the story. Any number of them side by side."""

LAST = ("dead_man", ANSWERS, dead_man)
"""By itself, at the end: it kills our processes."""
