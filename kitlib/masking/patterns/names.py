"""Kinds of names: `dbPassword` names a secret, `passwordFile` and `secretName` do not.

A name is cut into its words (`DB_PASSWORD`, `dbPassword` and `db.password` are the same two), and its last words decide.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Rank = Literal["", "weak", "strong"]  # no secret; a secret if the value looks like one; a secret

LONGEST = 64  # characters of a name that are looked at, on either side of its telling word
HIT = re.compile(
    r"pass|pwd|pw[^a-z]|secret|token|key|cred|auth|sig|client-certificate-data|dockerc"
)  # in text without capitals


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NEUTRAL = words(  # after a secret's name, these say which one it is, and not something else about it
    "value val b64 base64 encoded plain plaintext text string str hex data old new current previous confirm confirmation "
    "repeat again prod production dev development stage staging test live hash"
)
_ABOUT = words(  # a name that ends so speaks about a secret, and has another value
    "name names file files filename path paths dir directory folder url uri urls endpoint host hostname ref refs type types "
    "kind id ids length len size count counts limit max min total policy policies expiry expires expiration expire ttl age "
    "seconds field fields hint prompt required enabled disabled valid invalid validation rate ratio version rotation manager "
    "store provider providers rule rules reset changed updated created at time date class format encoding header headers env "
    "var variable variables mount volume volumes namespace source sources from generator selector strength score error errors attempts "
    "retries cert certs certificate ca algorithm alg method methods mode lookup stdin stdout fd command cmd script helper callback "
    "message msg label placeholder input box form page view link button icon status state ok use used usage needed present "
    "exists set is has can allow allowed word words ring board pair board map index char chars pattern regex check checks "
    "title description doc docs comment note info list show visible hidden delivery auth template"
)
_OWNER = (  # whose `pass`, `pwd` or `pw` it is
    "db|database|user|usr|admin|root|my|mysql|mariadb|pg|postgres|postgresql|psql|redis|mongo|mongodb|mq|rabbit|rabbitmq|amqp|"
    "mqtt|smtp|imap|pop|mail|email|ftp|sftp|ssh|ldap|bind|http|https|proxy|basic|login|logon|account|registry|docker|git|svn|"
    "nexus|app|api|client|server|service|svc|wifi|wlan|keystore|truststore|store|trust|key|cert|tls|ssl|pem|pfx|jenkins|grafana|"
    "kibana|elastic|elasticsearch|es|kafka|sasl|master|vault|sudo|su|vnc|rdp|rcon|guest|default|temp|tmp|initial|backup|repl|"
    "replication|sys|system|sa|ora|oracle|mssql|sql|jdbc|odbc|tomcat|require|encrypted|secret|consumer|producer|web|site|host"
)
_STRONG = re.compile(
    r"(?:password|passwort|passphrase|passcode"
    rf"|(?:{_OWNER})(?:passwd|pass|pwd|pw)"
    r"|(?:api|access|secret|private|encryption|encrypt|decryption|signing|account|shared|master|storage|auth|hmac|license|deploy"
    r"|webhook|session|certificate|application|integration|service|subscription|ssh|gpg|pgp|jwt|cookie|bot)key"
    r"|(?:api|client|app|application|consumer|shared|webhook|jwt|session|cookie|signing|oauth|auth|account|access|bot)secret"
    r"|dockerconfigjson|dockercfg|clientkeydata|clientcertificatedata|secretaccess|keydata"
    r"|(?:access|auth|bearer|id|identity|refresh|registry|session|api|deploy|service|bot|user|admin|personal|job|oauth|login"
    r"|private|security|bootstrap|join|vault|root|runner|github|gitlab|gh|slack|npm|pypi|hf|hugging\w*face)token"
    r"|tokensecret|secretvalue|secretstring)$"
)
_WEAK = words(
    "token secret pass passwd pwd pw auth credential credentials creds cookie sig signature passwords passphrases"
)
_OTHER_PASS = words("by com over under all first second one two multi low high band season through sur tres render")


@lru_cache(maxsize=4096)
def rank(name: str) -> Rank:
    """strong: its value is a secret; weak: it is one if it looks like one; empty: it is none."""
    parts = [word.lower() for word in _WORD.findall(name)]
    while parts and (parts[-1].isdigit() or (len(parts) > 1 and parts[-1] in _NEUTRAL and not _ends(parts))):
        parts.pop()
    if not parts or parts[-1] in _ABOUT - _WEAK:
        return ""
    joined = "".join(parts)
    if joined.endswith("htpasswd"):
        return ""  # a file
    if _STRONG.search(joined):
        return "strong"
    if parts[0] == "x" and parts[-1] in ("token", "key", "secret"):  # headers: X-Vault-Token
        return "strong"
    if any(word in ("password", "passphrase") for word in parts):  # PASSWORD_FOR_DB
        return "strong"
    if parts[-1] in ("pass", "pw", "pwd") and len(parts) > 1 and parts[-2] in _OTHER_PASS:
        return ""
    if parts[-1] in _WEAK or re.search(r"(?:token|secret|passwd|pwd)$", joined):
        return "weak"
    return ""


def _ends(parts: list[str]) -> bool:
    return bool(_STRONG.search("".join(parts)))
