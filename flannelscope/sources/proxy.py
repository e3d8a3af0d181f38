"""Through which proxy, if any, the API server is reached: proxy-url of the cluster entry, else the environment as Go reads it.

Rules of Go's golang.org/x/net/http/httpproxy, which kubectl uses. A proxy-url is always used, NO_PROXY notwithstanding.
"""

from __future__ import annotations

import base64
import socket
import warnings
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from flannelscope.errors import WrongKubeconfig
from flannelscope.sources.secret import Hidden
from flannelscope.sources.tls import Tls

if TYPE_CHECKING:
    import urllib3

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_CONNECTIONS = 8  # kept open to the one server; more are made where more threads read


class Proxy(Hidden, frozen=True, kw_only=True, eq=False):
    """One proxy; `shown` is its URL without user and password."""

    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """The URL that may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def joins_headers(self) -> bool:
        """Whether urllib3 joins repeated headers of requests without TLS into one, as it does for an HTTP proxy."""
        return self.scheme.startswith("http")

    @property
    def url(self) -> str:
        """The URL as it was configured, with the password."""
        return self.shown.replace("://", f"://{self.username}:{self.password}@", 1) if self.username else self.shown


def choose(server: str, proxy_url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for requests to `server`, None for a direct connection. Raises WrongKubeconfig for a URL that cannot be used."""
    if proxy_url:
        return _parse(proxy_url, "proxy-url")
    target = urlsplit(server)
    name = "HTTPS_PROXY" if target.scheme == "https" else "HTTP_PROXY"
    found = _either(environ, name)
    if not found:
        return None
    port = target.port or _PORTS[target.scheme]
    if not proxied(target.hostname or "", port, _either(environ, "NO_PROXY")):
        return None
    return _parse(found if found.partition("://")[0] in _PORTS else f"http://{found}", name)


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.lower()) or ""


def _parse(text: str, where: str) -> Proxy:
    advice = "Give http, https or socks5, as in socks5://bastion:1080."
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise WrongKubeconfig("the proxy's URL cannot be read", where, advice) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise WrongKubeconfig("the proxy's URL has a scheme that cannot be used or no host", where, advice)
    return Proxy(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def proxied(host: str, port: int, no_proxy: str) -> bool:
    """Whether a proxy of the environment is used for host and port; loopback never is."""
    host = host.strip().lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return False
    return not any(_excepts(entry.strip().lower(), host, address, port) for entry in no_proxy.split(","))


def _excepts(entry: str, host: str, address: IPv4Address | IPv6Address | None, port: int) -> bool:
    """Whether one entry of NO_PROXY names the host: *, prefix, address or domain, the last two with a port or without."""
    if entry in ("", "*"):
        return entry == "*"
    if "/" in entry:
        try:
            return address is not None and address in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = _split(entry)
    if not name or (wanted and wanted != str(port)):
        return False
    named = _address(name)
    if named is not None:
        return named == address
    suffix = name.removeprefix("*")
    if suffix.startswith("."):
        return host.endswith(suffix)
    return host == suffix or host.endswith("." + suffix)


def _split(entry: str) -> tuple[str, str]:
    """Host and port of host, host:port, [v6]:port or a bare IPv6 address."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def pool_manager(tls: Tls, proxy: Proxy | None) -> urllib3.PoolManager:
    """Connections with this TLS, through this proxy, without retries: whoever asks decides what is tried again."""
    import urllib3

    common: dict[str, Any] = {
        "ssl_context": tls.context,
        "retries": False,
        "maxsize": _CONNECTIONS,
        "socket_options": _keep_alive(),
    }
    if not tls.verified:
        # Said once by Access.warnings; urllib3 would say it at every request, on the terminal.
        warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)
    if tls.server_name:
        common["server_hostname"] = tls.server_name
    if proxy is None:
        return urllib3.PoolManager(**common)
    if proxy.scheme.startswith("socks"):
        return _socks(proxy, common)
    headers = {}
    if proxy.username:
        pair = f"{proxy.username}:{proxy.password}".encode()
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return urllib3.ProxyManager(proxy.shown, proxy_headers=headers, proxy_ssl_context=tls.proxy_context, **common)


def _socks(proxy: Proxy, common: dict[str, Any]) -> urllib3.PoolManager:
    from urllib3.contrib.socks import SOCKSProxyManager

    # kubectl lets the proxy resolve names for socks5 and socks5h alike; in urllib3 only the latter does.
    shown = proxy.shown.replace("socks5://", "socks5h://", 1)
    made = SOCKSProxyManager(shown, username=proxy.username or None, password=proxy.password or None, **common)
    made.connection_pool_kw["_socks_options"]["proxy_host"] = proxy.host  # urllib3 leaves the brackets of IPv6 in it
    return made


def _keep_alive() -> list[tuple[int, int, int]]:
    """Socket options: send at once; find out within a minute and a half that the far end of a silent watch is gone."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), seconds))
    return options
