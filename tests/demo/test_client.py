"""The demo's calls of the simulator's controls, on the real one."""

import time

from demo.client import Simulator
from tests.simulator.helpers import made_payment
from tests.support.simulator import running_simulator


async def test_settle_revoke_and_read_the_file() -> None:
    async with running_simulator() as gateway, Simulator(gateway.base_url) as simulator:
        kept, revoked = await made_payment(gateway), await made_payment(gateway)
        await simulator.revoke(revoked["id"])
        (settlement,) = await simulator.pay_out()
        assert settlement["amount"] == kept["amount"] - settlement["fees"] - settlement["tax"]
        name, now = "razorpay/settlement-recon.csv", time.time()
        whole = await simulator.file(name, now - 60, now + 60)
        assert kept["id"].encode() in whole
        assert revoked["id"].encode() not in whole
        assert len(await simulator.file(name, now - 60, now + 60, cut=True)) < len(whole)
