"""How secrets look in text: one module for each family of forms, each a function from a text to the spans of its secrets.

| module | what it finds |
|---|---|
| manifests | the data of a Secret, in YAML, JSON and Go's and Python's dumps |
| issued | private keys, tokens with their issuer's prefix, JWTs, hashes of passwords |
| addresses | passwords and tokens in URLs and in data source names |
| headers | Authorization, cookies, bearer tokens |
| commands | options of one letter, SQL, .netrc |
| pairs, dumps | a name beside a value, in every notation |

`names` judges a value by its name, `values` judges it by itself.  Text without a secret comes back byte for byte, and
what was masked once stays as it is.
"""

from __future__ import annotations

from kitlib.masking.patterns import addresses, commands, headers, issued, manifests, pairs, values
from kitlib.masking.patterns.spans import MASK, cover

__all__ = ["MASK", "mask_forms", "sensitive"]

_FAMILIES = (issued, manifests, addresses, headers, commands, pairs)


def mask_forms(text: str) -> str:
    """The text with MASK in place of every secret that can be recognised by its form."""
    text = manifests.mask_yaml(text)
    return cover(text, (span for family in _FAMILIES for span in family.spans(text)))


def sensitive(key: str, value: str) -> bool:
    """Whether `value`, stored under `key` in a JSON object, is a secret."""
    return values.secret(key, value, loose=False)
