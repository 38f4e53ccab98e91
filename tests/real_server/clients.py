"""Real XMPP clients that log in, log out, and get killed."""

import asyncio
from typing import Any

from slixmpp import ClientXMPP

from real_server.server import HOST, PASSWORD, Prosody, wait_until

PATIENCE = 120.0


class Client:
    """One client of one user, bound to its resource."""

    def __init__(self, server: Prosody, stream: ClientXMPP) -> None:
        self._server = server
        self._stream = stream

    @property
    def resource(self) -> str:
        """The resource that the server gave."""
        return str(self._stream.boundjid.resource)

    async def logout(self) -> None:
        """Closes the stream, as a client does that is quit."""
        await asyncio.wait_for(self._stream.disconnect(), PATIENCE)

    async def kill(self) -> None:
        """Ends the connection without a word, as a client does that is killed."""
        if self._stream.is_connected():
            gone = self.ended()
            self._stream.abort()
            await gone

    async def delete_account(self) -> None:
        """Asks the server to delete the user's account while the client is online (XEP-0077), until it has done so."""
        gone = self.ended()
        self._stream.plugin["xep_0077"].cancel_registration()
        await gone
        wait_until(lambda: self._server.log_has(f"User removed their account: {self._stream.boundjid.bare}"))

    def ended(self) -> "asyncio.Future[Any]":
        """Is done when the connection is gone, whoever ends it."""
        return asyncio.ensure_future(self._stream.wait_until("disconnected", PATIENCE))


class Clients:
    """All clients of a test; those that are left at its end are killed."""

    def __init__(self, server: Prosody) -> None:
        self._server = server
        self._clients: list[Client] = []

    async def login(self, user: str, resource: str | None = None, host: str = HOST) -> Client:
        """Logs in and binds; without a resource the server makes one. Fails where the server refuses either."""
        stream = ClientXMPP(f"{user}@{host}" + (f"/{resource}" if resource else ""), PASSWORD)
        stream.enable_starttls = stream.enable_direct_tls = False
        stream.enable_plaintext = True
        stream.plugin["feature_mechanisms"].config.update(use_mech="PLAIN", unencrypted_plain=True)
        stream.register_plugin("xep_0077")
        client = Client(self._server, stream)
        self._clients.append(client)
        bound = asyncio.ensure_future(stream.wait_until("session_bind", PATIENCE))
        stream.connect("127.0.0.1", self._server.port)
        await bound
        self._server.logins += 1
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.kill()
