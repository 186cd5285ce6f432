from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.llm import LLMServer, llm_server


@pytest.fixture
async def llm() -> AsyncIterator[LLMServer]:
    async with llm_server() as server:
        yield server
