"""The floor of a checkout: the same workflow steps on the same server, with nothing in them."""

import asyncio
from collections import defaultdict

from temporalio import activity, workflow

from workflows.options import LETTER, LINK, ORDER_STATUS, RECORD, named


class EmptyActivities:
    """What a checkout does to the world, without the world; `kept` says when it would be done."""

    def __init__(self) -> None:
        self.kept: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @activity.defn
    async def make(self, order_id: str) -> str:
        return order_id

    @activity.defn
    async def keep(self, order_id: str) -> str:
        self.kept[order_id].set()
        return order_id

    @activity.defn
    async def tell(self, order_id: str) -> None:
        return None


@workflow.defn
class EmptyCheckout:
    """A link, a signal, a record, an upsert, a letter: as many of each as a paid checkout has."""

    def __init__(self) -> None:
        self._link = ""
        self._is_paid = False

    @workflow.run
    async def run(self, order_id: str) -> str:
        call = workflow.execute_activity_method
        self._link = await call(EmptyActivities.make, order_id, **named(LINK, "link"))
        timer = asyncio.create_task(asyncio.sleep(120))
        await workflow.wait_condition(lambda: self._is_paid)
        timer.cancel()
        await call(EmptyActivities.keep, order_id, **named(RECORD, "record"))
        workflow.upsert_search_attributes([ORDER_STATUS.value_set("paid")])
        await call(EmptyActivities.tell, order_id, **named(LETTER, "letter"))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._link

    @workflow.update
    async def payment_link(self) -> str:
        await workflow.wait_condition(lambda: bool(self._link))
        return self._link

    @workflow.signal
    def learn(self, news: str) -> None:
        self._is_paid = True
