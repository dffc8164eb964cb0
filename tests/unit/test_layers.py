"""What a container's mount says of its layers."""

from __future__ import annotations

import pytest

from kitlib.errors import EngineError
from kitlib.measure.images.layers import lower

OTHERS = "295 293 0:116 / /proc rw,nosuid - proc proc rw\n"
ROOT = "293 222 0:104 / / rw,relatime - overlay overlay rw,{},upperdir=/u/diff,workdir=/u/work\n"


@pytest.mark.parametrize("options", ["lowerdir=/c:/b:/a", "lowerdir+=/c,lowerdir+=/b,lowerdir+=/a"])
def test_lower_folders_in_order(options: str) -> None:
    """The uppermost comes first, whichever way the kernel writes them."""
    assert lower(OTHERS + ROOT.format(options)) == ["/c", "/b", "/a"]


def test_another_file_system_is_named() -> None:
    """An engine that does not use overlay has no such folders to count."""
    with pytest.raises(EngineError, match="btrfs"):
        lower("293 222 0:104 / / rw,relatime - btrfs /dev/sda rw,space_cache\n")
