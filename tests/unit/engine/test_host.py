from __future__ import annotations

import pytest
from launcher.host import overlap

# default via eth0; 192.0.2.0/24 eth0; 10.99.0.0/16 other0; 10.87.0.0/16 arc0; 172.17.0.0/16 docker0
_ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
other0\t0000630A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
arc0\t0000570A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


@pytest.mark.parametrize(
    ("cidr", "user"),
    [
        ("10.87.0.0/16", ""),  # our own bridge
        ("10.99.0.0/16", "other0"),
        ("172.17.0.0/16", "docker0"),
        ("192.0.0.0/16", "eth0"),  # a smaller network within ours
        ("10.88.0.0/16", ""),  # the default route does not count
    ],
)
def test_addresses_of_others_are_seen(cidr: str, user: str) -> None:
    assert overlap(cidr, _ROUTES, "arc0") == user
