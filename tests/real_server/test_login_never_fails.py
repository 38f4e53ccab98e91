"""Whatever goes wrong in mod_login_records, the client binds."""

import pytest

from real_server.clients import Clients
from real_server.records import STORE, only_record
from real_server.server import Prosody, quoted

NOT_RECORDED = "A login was not recorded: "


@pytest.mark.parametrize("detail", ["prefix", "full"])
async def test_with_an_address_that_is_none(prosody: Prosody, clients: Clients, detail: str) -> None:
    prosody.start(login_records_ip=quoted(detail))
    addresses = [None, "", "garbage", "%", "999.1.2.3", "203.0.113.0/24", ":::", "1" * 5000, "日本", "\a\x7f"]
    for number, address in enumerate(addresses):
        user = f"user{number}"
        prosody.register(user)
        prosody.address(user, address)
        await clients.login(user, "phone")
        record = only_record(prosody, user)
        assert (record.address, record.resource) == (None, "phone")
    assert not prosody.log_has(NOT_RECORDED)


async def test_with_a_resource_that_the_server_makes(prosody: Prosody, clients: Clients) -> None:
    prosody.start()
    prosody.register("alice")
    client = await clients.login("alice")
    assert only_record(prosody, "alice").resource == client.resource != ""


async def test_without_a_resource(prosody: Prosody, clients: Clients) -> None:
    prosody.modules.append("lost_resource")
    prosody.start()
    prosody.register("alice")
    await clients.login("alice", "phone")
    assert only_record(prosody, "alice").resource is None


@pytest.mark.parametrize("how", ["errors", "errors on writing", "throws"])
async def test_with_a_storage_that_fails(prosody: Prosody, clients: Clients, how: str) -> None:
    prosody.start(storage='{ login_records = "broken" }', broken_storage=quoted(how))
    prosody.register("alice")
    await clients.login("alice", "phone")
    assert prosody.log_has(NOT_RECORDED)
    assert prosody.log_has("the disk is on fire")
    assert prosody.stored("lastlog2", "alice") is not None


async def test_with_a_storage_that_is_not_there(prosody: Prosody, clients: Clients) -> None:
    prosody.start(storage='{ login_records = "nowhere" }')
    prosody.register("alice")
    await clients.login("alice", "phone")
    assert prosody.log_has(NOT_RECORDED + "no data storage active")


async def test_with_a_directory_that_can_not_be_written(prosody: Prosody, clients: Clients) -> None:
    prosody.register("alice")
    prosody.file(STORE, "alice").parent.touch()  # a file where the directory belongs stops root too
    prosody.start()
    await clients.login("alice", "phone")
    assert prosody.log_has(NOT_RECORDED)


@pytest.mark.parametrize("held", ['return { ["2026-11"] = {', "return os.exit()", "\0" * 64])
async def test_with_records_that_can_not_be_read(prosody: Prosody, clients: Clients, held: str) -> None:
    prosody.register("alice")
    prosody.writes(STORE, "alice", {})
    path = prosody.file(STORE, "alice")
    path.write_text(held)
    prosody.start()
    await clients.login("alice", "phone")
    assert prosody.log_has(NOT_RECORDED)
    assert path.read_text() == held, "what can't be read may still be whole"


@pytest.mark.parametrize("held", ["return 5;", "return {};", "", 'return { 1, 2, [true] = "x", [0.5] = {} };'])
async def test_with_records_that_make_no_sense(prosody: Prosody, clients: Clients, held: str) -> None:
    prosody.register("alice")
    prosody.writes(STORE, "alice", {})
    prosody.file(STORE, "alice").write_text(held)
    prosody.start()
    await clients.login("alice", "phone")
    assert only_record(prosody, "alice").resource == "phone"
