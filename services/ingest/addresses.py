"""Which addresses of the network may be fetched from: public ones, and those that the operator allows. Pure.

Nothing that is asked of the mill from outside may make it speak to a host of its own network.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import GristmillError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = (80, 443)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "100.64.0.0/10"),
        # Translated, tunnelled, site-local, and for documentation.
        *("64:ff9b:1::/48", "2001::/23", "2002::/16", "fec0::/10", "3fff::/20", "5f00::/16"),
    )
)
"""Beyond what the standard library knows as private: forms in which another address may hide."""


class FetchRefused(GristmillError):
    """An address that may not be fetched from."""

    def __init__(self, message: str) -> None:
        super().__init__("fetch_refused", message)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts and networks that are fetched from whatever their addresses and ports are."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()


def allowed(setting: str) -> Allowed:
    """Read ``GRISTMILL_FETCH_ALLOW``: host names, addresses and CIDR networks, parted by commas or spaces.

    Raise ``GristmillError`` for what is neither.
    """
    hosts, networks = set[str](), list[Network]()
    for word in setting.replace(",", " ").split():
        try:
            networks.append(ipaddress.ip_network(word))
        except ValueError:
            if any(letter in word for letter in "/:@") or not word.isprintable():
                raise GristmillError(
                    "setting_invalid",
                    f"GRISTMILL_FETCH_ALLOW holds {word!r}; it lists host names, addresses and networks such as "
                    "10.0.0.0/8.",
                ) from None
            hosts.add(word.lower().rstrip("."))
    return Allowed(frozenset(hosts), tuple(networks))


def is_public(address: Address) -> bool:
    """Whether an address is one of the public network, in whatever form it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(
        address in network for network in _NOT_PUBLIC if network.version == address.version
    )


def check_address(host: str, address: str, allow: Allowed) -> None:
    """Raise ``FetchRefused`` unless ``host``, which has this address, may be connected to."""
    if host.lower().rstrip(".") in allow.hosts:
        return
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise FetchRefused(f"{host} is no address that can be checked.") from None
    if any(found in network for network in allow.networks if network.version == found.version):
        return
    if not is_public(found):
        raise FetchRefused(
            f"{host} has the address {found}, which is not one of the public network. The operator may allow it by "
            "GRISTMILL_FETCH_ALLOW."
        )


def check_url(url: str, allow: Allowed) -> None:
    """Raise ``FetchRefused`` for a scheme, a port, credentials or a literal address that is not fetched from.

    A name's addresses are checked when they are known.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise FetchRefused("That is not an address of the web.") from None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not host:
        raise FetchRefused("Only http and https addresses are fetched.")
    if parts.username is not None or parts.password is not None:
        raise FetchRefused("An address with a user or a password in it is not fetched.")
    if _is_literal(host):
        check_address(host, host, allow)
    standard = port is None or port in PORTS
    if not standard and not _is_allowed(host, allow):
        raise FetchRefused(f"Port {port} is not fetched from; only 80 and 443 are.")


def _is_literal(host: str) -> bool:
    """Whether a client may take the host for an address without asking for its name: also 2130706433 and 127.1."""
    return ":" in host or host.replace(".", "").isdigit()


def _is_allowed(host: str, allow: Allowed) -> bool:
    if host.lower().rstrip(".") in allow.hosts:
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(found in network for network in allow.networks if network.version == found.version)
