"""What the tests of Prosody's formats share: the captured data, and a real Lua."""

import shutil
from collections.abc import Iterator

import pytest
from lua_judge import LuaJudge


@pytest.fixture(scope="session")
def lua() -> Iterator[LuaJudge]:
    program = shutil.which("lua5.4")
    if program is None:
        pytest.skip("lua5.4 is not installed: apt-get install lua5.4")
    judge = LuaJudge(program)
    yield judge
    judge.close()
