import pandas as pd
import pytest

from kitlib.errors import ClusterError
from kitlib.measure.cluster import names
from kitlib.measure.workloads import services

SAVED = """\
-A KUBE-SEP-A -p tcp -m comment --comment "kit-x/shop:http" -m tcp -j DNAT --to-destination 10.244.0.5:8080
-A KUBE-SVC-S ! -s 10.244.0.0/16 -d 10.96.1.1/32 -p tcp -m comment --comment "kit-x/shop:http cluster IP" -j KUBE-MARK-MASQ
-A KUBE-SVC-S -m comment --comment "kit-x/shop:http -> 10.244.0.5:8080" -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-A
-A KUBE-SVC-S -m comment --comment "kit-x/shop:http -> 10.244.0.6:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-B
-A KUBE-SVC-S -m comment --comment "kit-x/shop:http -> 10.244.0.7:8080" -j KUBE-SEP-C
-A KUBE-SVC-T -m comment --comment "kit-x/shop2:http -> 10.244.0.8:8080" -j KUBE-SEP-D
"""

LOOKUPS = """\
# shop
Server:\t\t10.96.0.10
Address:\t10.96.0.10:53

** server can't find shop.cluster.local: NXDOMAIN

Name:\tshop.kit-x.svc.cluster.local
Address: 10.96.1.1

# headless
Server:\t\t10.96.0.10
Address:\t10.96.0.10:53

Name:\theadless.kit-x.svc.cluster.local
Address: 10.244.0.6
Name:\theadless.kit-x.svc.cluster.local
Address: 10.244.0.5

# nobody
Server:\t\t10.96.0.10
Address:\t10.96.0.10:53

** server can't find nobody.cluster.local: NXDOMAIN
"""


def hits(**counts: int) -> pd.DataFrame:
    """As many answered requests of each pod."""
    served = [pod for pod, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"served_by": served, "ok": True})


def test_a_ladder_of_rules_gives_each_pod_its_share() -> None:
    """The rules of one Service, in their order: each with its own probability, and multiplied out."""
    found = services.ladder(SAVED, "kit-x/shop:")

    assert list(found["pod"]) == ["10.244.0.5:8080", "10.244.0.6:8080", "10.244.0.7:8080"]
    assert list(found["taken"]) == pytest.approx([1 / 3, 1 / 2, 1])
    assert list(found["overall"]) == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_a_service_without_pods_has_no_ladder() -> None:
    """No rules are no rows, not an error: kube-proxy may be about to write them."""
    assert services.ladder(SAVED, "kit-x/nobody:").empty


def test_lookups_are_told_apart() -> None:
    """Each name has its own addresses, without the DNS server's; a name that does not exist has none."""
    found = names.answers(LOOKUPS)["addresses"].to_dict()

    assert found == {"shop": "10.96.1.1", "headless": "10.244.0.5, 10.244.0.6", "nobody": ""}


def test_an_even_spread_is_likely() -> None:
    """Equal counts are what the test expects."""
    found = services.spread(hits(a=100, b=100, c=100), ["a", "b", "c"])

    assert found["p_value"] == 1
    assert found["busiest"] == pytest.approx(100 / 3)


def test_a_pod_that_got_nothing_counts() -> None:
    """A pod without requests is not left out of the comparison."""
    found = services.spread(hits(a=150, b=150), ["a", "b", "c"])

    assert found["p_value"] < 1e-6
    assert found["busiest"] == 50


def test_requests_without_an_answer_do_not_count() -> None:
    """No pod served them, so that they count for none."""
    lost = pd.DataFrame({"served_by": [""] * 50, "ok": False})
    found = services.spread(pd.concat([hits(a=60, b=60), lost]), ["a", "b"])

    assert found == {"busiest": 50, "p_value": 1}


def test_no_answer_at_all_is_an_error() -> None:
    """Without answers, the balance is unknown."""
    with pytest.raises(ClusterError, match="none of 3 requests"):
        services.spread(pd.DataFrame({"served_by": [""] * 3, "ok": False}), ["a"])
