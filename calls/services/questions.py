"""Which of several switches holds a call? Only a switch process can ask one; it is asked through the database.

The bus wakes the switch processes; one that missed it looks by itself. An answer takes some 20 ms.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from calls import bus
from calls.models import Switch, SwitchQuestion
from calls.threads import in_a_thread

PATIENCE_SECONDS = 2.0  # a switch process looks every half second when the bus is down
LOOK_EVERY_SECONDS = 0.02
STALE = timedelta(seconds=10)  # who asked has long given up


def locate(call_uuid: str, switches: Sequence[Switch]) -> tuple[Switch | None, bool]:
    """(the switch that holds the call, True); (None, True): none of them does; (None, False): not all have answered.

    Waits for at most two seconds, in the caller's thread and outside of any transaction.
    """
    SwitchQuestion.objects.filter(asked_at__lt=timezone.now() - STALE).delete()
    now = timezone.now()
    asked = {
        SwitchQuestion.objects.create(switch=switch, call_uuid=call_uuid, asked_at=now).pk: switch
        for switch in switches
    }
    for switch in switches:
        if not bus.send(bus.switch_group(switch.slug), {"type": "question.wake"}):
            break  # Redis is away: each further try would cost its timeout
    questions = SwitchQuestion.objects.filter(pk__in=asked)
    ends = time.monotonic() + PATIENCE_SECONDS
    try:
        while True:
            answers = dict(questions.values_list("pk", "holds_it"))
            holder = next((asked[pk] for pk, holds_it in answers.items() if holds_it), None)
            silent = [pk for pk in asked if answers.get(pk) is None]
            if holder is not None or not silent or time.monotonic() > ends:
                return holder, not silent or holder is not None
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        questions.delete()


def open_questions(switch_id: int) -> list[SwitchQuestion]:
    """Those that somebody still waits for, the oldest first."""
    fresh = SwitchQuestion.objects.filter(switch_id=switch_id, holds_it=None, asked_at__gt=timezone.now() - STALE)
    return list(fresh.order_by("id"))


def answer_question(question_id: int, holds_it: bool) -> None:
    SwitchQuestion.objects.filter(pk=question_id).update(holds_it=holds_it)


aopen_questions = in_a_thread(open_questions)
aanswer_question = in_a_thread(answer_question)
