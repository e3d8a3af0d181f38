"""Stand-ins for what flannelscope talks to: servers, proxies, certificates; all on loopback."""
