from __future__ import annotations

import pytest

from support.contract import CONTRACT, LIMITS
from support.memory import ListMemory
from support.settings import make_settings


@pytest.mark.parametrize("name", CONTRACT)
async def test_the_memory_in_the_process_keeps_the_contract(name: str) -> None:
    await CONTRACT[name](ListMemory(make_settings(**LIMITS)))
