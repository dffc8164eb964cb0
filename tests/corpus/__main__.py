"""`python -m tests.corpus`: count again, write the table of docs/secrets.md, and say what of the kit's own text is masked."""

from __future__ import annotations

import re

from kitlib import paths
from tests.corpus import count

DOCUMENT = paths.ROOT / "docs" / "secrets.md"
TABLE = re.compile(r"(?<=<!-- counted by python -m tests.corpus -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)

if __name__ == "__main__":
    DOCUMENT.write_text(TABLE.sub(lambda _: count.table(), DOCUMENT.read_text()))
    for kind in (True, False):
        lines = list(count.changed(prose=kind))
        print(
            f"{'prose' if kind else 'source code'}: {len(lines)} lines masked, of {count.words(prose=kind):,} words",
            *lines,
            sep="\n  ",
        )
