"""Which part of what a server logged as an address can be looked up: the rule of special addresses.

The lists are written out, because what Python's `ipaddress` calls private or global changed between
3.11 and 3.13; the same address must have the same place under every Python.
"""

import ipaddress
import re
from bisect import bisect_right

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# An IPv6 prefix with a zone id, the longest there can be (interface names have at most 15 bytes), is shorter.
LONGEST = 80

# IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast (RFC 5771). Not in the list, so looked
# up: the documentation networks 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737), which public
# databases leave out and examples and tests put into their own; and services that all the Internet reaches.
_SPECIAL_IPV4 = (
    "0.0.0.0/8",  # this network, RFC 791
    "10.0.0.0/8",  # private, RFC 1918
    "100.64.0.0/10",  # shared by carriers' NAT, RFC 6598
    "127.0.0.0/8",  # loopback, RFC 1122
    "169.254.0.0/16",  # link-local, RFC 3927
    "172.16.0.0/12",  # private, RFC 1918
    "192.0.0.0/24",  # protocol assignments, RFC 6890
    "192.88.99.0/24",  # 6to4 relays, deprecated, RFC 7526
    "192.168.0.0/16",  # private, RFC 1918
    "198.18.0.0/15",  # benchmarks, RFC 2544
    "224.0.0.0/4",  # multicast, RFC 5771
    "240.0.0.0/4",  # reserved, RFC 1112, with the broadcast address
)
# IANA Internet Protocol Version 6 Address Space: only 2000::/3 is given out for global unicast; loopback,
# unspecified, unique local (fc00::/7), link-local (fe80::/10) and multicast (ff00::/8) lie outside it.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# IANA IPv6 Special-Purpose Address Registry, inside 2000::/3. Documentation (2001:db8::/32) is looked up.
_SPECIAL_IPV6 = (
    "2001::/23",  # protocol assignments with Teredo, benchmarks, ORCHID: RFC 2928
    "2002::/16",  # 6to4, RFC 3056, deprecated by RFC 7526
)

_ZONE = re.compile(r"%[^/]*")


def _bounds(networks: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """First and last addresses, as numbers, of networks that do not overlap; sorted."""
    networks.sort()
    return [first for first, _ in networks], [last for _, last in networks]


def _range(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[int, int]:
    return int(network.network_address), int(network.broadcast_address)


SPECIAL4 = sorted(_range(ipaddress.IPv4Network(n)) for n in _SPECIAL_IPV4)
"""First and last addresses, as numbers, of the special networks of IPv4. None of them is narrower than /24."""
_FIRST4, _LAST4 = _bounds([*SPECIAL4])
SPECIAL6 = sorted(_range(ipaddress.IPv6Network(n)) for n in _SPECIAL_IPV6)
"""The same of IPv6, inside the global unicast addresses. None of them is narrower than /32."""
_FIRST6, _LAST6 = _bounds(
    [
        (0, int(_GLOBAL_UNICAST.network_address) - 1),
        (int(_GLOBAL_UNICAST.broadcast_address) + 1, 2**128 - 1),
        *SPECIAL6,
    ]
)


def is_special(address: Address) -> bool:
    """Whether `address` is private, loopback, link-local, reserved or the like, so that it is nowhere."""
    number = int(address)
    firsts, lasts = (_FIRST4, _LAST4) if address.version == 4 else (_FIRST6, _LAST6)
    at = bisect_right(firsts, number) - 1
    return at >= 0 and number <= lasts[at]


def is_global_unicast(number: int) -> bool:
    """Whether an IPv6 address, as a number, is one of those that are given out for global unicast."""
    return number >> 125 == 1


def public_address(text: str) -> Address | None:
    """The address to look up for `text`, or None where there is none.

    `text` is an IPv4 or IPv6 address, or a network prefix (`203.0.113.0/24`), which stands for its first
    address; a zone id (`%eth0`) and blanks around it are left out; `::ffff:a.b.c.d` is its IPv4 (RFC 4291,
    2.5.5.2). None for what is not an address, and for a special one. Never raises.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    try:
        if "%" in text:
            text = _ZONE.sub("", text, count=1)
        address: Address
        if "/" in text:
            address = ipaddress.ip_network(text, strict=False).network_address
        else:
            address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return None if is_special(address) else address
