"""Whether a story was lived as its row of tests/README.md says."""

from tests.stack import Stack
from tests.stories.plots import Told
from tests.stories.table import Story


async def check(stack: Stack, told: Told, story: Story) -> None:
    transfer = told.transfer
    assert {
        "states": await stack.states(transfer),
        "outcome": transfer["outcome"],
        "decision": transfer["decision"] or "-",
        "ticket": transfer["ticket"] is not None,
        "talked": bool(transfer["agent_uuid"]) and stack.heard_each_other(told.call.uuid, transfer["agent_uuid"]),
        "ends": await end_of(stack, told),
    } == {
        "states": story.states,
        "outcome": story.outcome,
        "decision": story.decision,
        "ticket": story.ticket,
        "talked": story.talked,
        "ends": story.ends,
    }
    assert transfer["success"] == (story.outcome == "accepted")
    if story.ends == "menu":
        assert await stack.variable(told.call, "transferhub_outcome") == story.outcome
    assert stack.returns(told.call) == {"menu": 1, "gone": 0, "secretary": 0}[story.ends]


async def end_of(stack: Stack, told: Told) -> str:
    return {"gone": "gone", "returned": "menu", "menu": "secretary"}.get(stack.where(told.call), "in our care")
