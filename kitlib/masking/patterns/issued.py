"""Secrets that can be recognised without a name: tokens with their issuer's prefix, JWTs, private keys, hashes of passwords."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from kitlib.masking.patterns.spans import Span

# What an issuer's tokens begin with, and what follows.  The prefix stands in the text as it is, which is looked for first.
_ISSUED = {
    "A3-": r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",  # 1Password
    "ops_eyJ": r"[\w+/=-]{40,}",
    "p8e-": r"[A-Za-z0-9]{32}",  # Adobe
    "AGE-SECRET-KEY-1": r"[A-Z0-9]{30,}",
    "pat": r"[A-Za-z0-9]{14}\.[a-f0-9]{64}|\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}",  # Airtable, Harness
    "sat.": r"[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}",
    "LTAI": r"[A-Za-z0-9]{16,24}",  # Alibaba Cloud
    "sk-": r"[\w-]{20,}",  # OpenAI, Anthropic and what speaks like them
    "AKC": r"p[A-Za-z0-9]{10,}",  # Artifactory
    "cmVmd": r"[A-Za-z0-9]{40,}",
    "ATATT3": r"[\w=-]{20,}",  # Atlassian
    "ATCTT3": r"[\w=-]{20,}",
    "ATBB": r"[A-Za-z0-9]{20,}",
    "ABSK": r"[A-Za-z0-9+/]{80,}={0,2}",  # Amazon Bedrock
    "bedrock-api-key-": r"[\w+/=.%-]{20,}",
    "AKIA": r"[A-Z0-9]{16}",
    "ASIA": r"[A-Z0-9]{16}",
    "ABIA": r"[A-Z0-9]{16}",
    "ACCA": r"[A-Z0-9]{16}",
    "A3T": r"[A-Z0-9]{17}",
    "4b1d": r"[A-Za-z0-9]{38}",  # ClickHouse
    "CLOJARS_": r"[A-Za-z0-9]{40,}",
    "v1.0-": r"[a-f0-9]{24}-[a-f0-9]{146}",  # Cloudflare's origin CA
    "dapi": r"[a-f0-9]{32}(?:-\d)?",  # Databricks
    "dnkey-": r"[\w=-]{20,}",
    "doo_v1_": r"[a-f0-9]{40,}",  # DigitalOcean
    "dop_v1_": r"[a-f0-9]{40,}",
    "dor_v1_": r"[a-f0-9]{40,}",
    "dp.": r"(?:pt|st|ct|scim|audit)\.[\w.-]{40,}",  # Doppler
    "dckr_": r"(?:pat|oat)_[\w-]{20,}",  # Docker Hub
    "duffel_": r"(?:test|live)_[\w=-]{30,}",
    "dt0c01.": r"[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}",  # Dynatrace
    "EZAK": r"[A-Za-z0-9]{50,}",
    "EZTK": r"[A-Za-z0-9]{50,}",
    "EAA": r"[MC]?[A-Za-z0-9]{80,}",  # Facebook
    "FLWSECK": r"[\w-]{12,}",
    "FLWPUBK_TEST-": r"[A-Za-z0-9]{32}-X",
    "fo1_": r"[\w-]{40,}",  # fly.io
    "fm": r"(?:1[ar]|2)_[A-Za-z0-9+/]{100,}={0,3}",
    "fio-u-": r"[\w=-]{60,}",
    "AIza": r"[\w-]{35}",  # Google
    "GOCSPX-": r"[\w-]{20,}",
    "ya29.": r"[\w-]{20,}",
    "1//0": r"[\w-]{30,}",
    "gh": r"[pousr]_[A-Za-z0-9]{16,}",  # GitHub
    "github_pat_": r"\w{22,}",
    "gl": r"(?:pat|dt|ft|oas|rt|rtr|cbt|ptt|imt|agent|soat|ffct|wt)-[\w-]{20,}(?:\.[\w-]+)*",  # GitLab
    "GR1348941": r"[\w-]{20}",
    "glc_": r"[A-Za-z0-9+/]{32,}={0,3}",  # Grafana
    "glsa_": r"\w{32,}",
    "eyJrIjoi": r"[A-Za-z0-9+/]{40,}={0,3}",
    "hv": r"[sbr]\.[\w-]{20,}",
    "s.": r"(?=(?:[A-Za-z]*\d){2})[A-Za-z0-9]{24}(?!\w)",
    "HRKU-": r"[\w-]{30,}",
    "hf_": r"[A-Za-z0-9]{30,}",  # Hugging Face
    "api_org_": r"[A-Za-z0-9]{30,}",
    "ico-": r"[A-Za-z0-9]{32}",
    "s-s4t2": r"(?:ud|af)-[A-Fa-f0-9]{64}",
    "lin_api_": r"[A-Za-z0-9]{30,}",
    "live_": r"(?:pub_)?[a-f0-9]{31,}",
    "test_": r"(?:pub_)?[a-f0-9]{31,}",
    "key-": r"[a-f0-9]{32}",  # Mailgun
    "ntn_": r"[A-Za-z0-9]{40,}",
    "secret_": r"[A-Za-z0-9]{43}",
    "npm_": r"[A-Za-z0-9]{36}",
    "NRAK-": r"[A-Z0-9]{20,}",
    "NRII-": r"[\w-]{20,}",
    "NRJS-": r"[a-f0-9]{19}",
    "API-": r"[A-Z0-9]{26}",  # Octopus Deploy
    "sha256~": r"[\w-]{40,}",  # OpenShift
    "pplx-": r"[A-Za-z0-9]{40,}",
    "pscale_": r"(?:tkn|oauth|pw)_[\w=.-]{32,}",
    "PMAK-": r"[a-fA-F0-9]{24}-[a-fA-F0-9]{34}",
    "pnu_": r"[A-Za-z0-9]{36}",
    "pul-": r"[a-f0-9]{40}",
    "pypi-": r"[\w-]{50,}",
    "rdme_": r"[A-Za-z0-9]{60,}",
    "rubygems_": r"[a-f0-9]{40,}",
    "tk-us-": r"[\w-]{40,}",
    "SG.": r"[\w=.-]{60,}",  # SendGrid
    "xkeysib-": r"[A-Za-z0-9-]{60,}",
    "sntrys_": r"[\w+/=]{40,}",
    "sntryu_": r"[a-f0-9]{40,}",
    "sm_": r"[aps]at_[A-Za-z0-9]{16}",
    "shippo_": r"(?:live|test)_[A-Fa-f0-9]{40}",
    "shp": r"(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}",
    "xapp-": r"\d-[A-Za-z0-9]+-\d+-[A-Za-z0-9]+",  # Slack
    "xox": r"[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}",
    "sgp_": r"[\w]{40,}",
    "EAAA": r"[\w-]{22,60}",  # Square
    "sq0": r"(?:atp|csp|idp)-[\w-]{22,}",
    "squ_": r"[\w=-]{40}",
    "sqp_": r"[\w=-]{40}",
    "sqa_": r"[\w=-]{40}",
    "sk_": r"(?:test|live|prod)_[A-Za-z0-9]{10,}|sk_\S{29}(?=[\"'])",  # Stripe
    "rk_": r"(?:test|live|prod)_[A-Za-z0-9]{10,}",
    "whsec_": r"[A-Za-z0-9+/=]{20,}",
    "tskey-": r"[\w-]{20,}",
    "SK": r"[0-9A-Fa-f]{32}(?!\w)",  # Twilio
    "tfp_": r"[\w.=-]{50,}",
    "sl.": r"[\w=-]{100,}",  # Dropbox
    "AQVN": r"[\w-]{35,38}",
    "YC": r"[\w-]{38}",
    "t1.": r"[\w-]+={0,2}\.[\w-]{86}={0,2}",
    "bot": r"\d{5,16}:A[\w-]{34}",
    "eyJ": r"[\w/+-]{5,}=*\.[\w/+-]{5,}=*(?:\.[\w/+-]*=*){1,3}",  # JWT, JWE
    "ey": r"[A-Za-z0-9]{17,}\.ey[\w/+-]{16,}\.[\w/+-]*={0,2}",
    "ZXlK": r"[A-Za-z0-9+/]{40,}={0,2}",  # the base64 of a JWT
    "zpat-": r"[\w-]{20,}",
}
_TOKENS = {  # the literal first, since it is found fastest
    prefix: re.compile(rf"{re.escape(prefix)}(?<![A-Za-z0-9]{re.escape(prefix)})(?:{body})")
    for prefix, body in _ISSUED.items()
}
_INNER = {  # the issuer's mark stands inside
    ".acc": re.compile(
        r"(?<![A-Za-z0-9])[a-z]{2,8}_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[\w+/=-]{30,120}"
    ),  # Authress
    ".atlasv1.": re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{50,}"),  # HashiCorp
    "_mmk": re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),  # MaxMind
}
_HOOKS = {
    "hooks.slack.com/": r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w+/]{20,}",
    "webhook.office.com/": r"(?<=webhook\.office\.com/)webhookb2/[\w@/-]{40,}",
    "/webhooks/": r"(?<=/webhooks/)\d{10,}/[\w-]{40,}",  # Discord
    "$apr1$": r"\$apr1\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22}",
    "$argon2": r"\$argon2id?\$[\w=,$+/.-]{20,}",
    "$y$": r"\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{20,}",
    "SCRAM-SHA-256$": r"SCRAM-SHA-256\$[\w:+/=$]{40,}",
    "pbkdf2_": r"pbkdf2_sha\d+\$\d+\$[\w$+/=]{20,}",
    "{SSHA": r"\{SSHA\d*\}[A-Za-z0-9+/=]{20,}",
    "PRIVATE-KEY": r"(?<=PRIVATE-KEY-)\w{20,}",
    "Q~": r"(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])",  # Azure AD
    "_gitlab_session": r"(?<=_gitlab_session=)[0-9a-z]{32}",
    '"kty"': r"(?<=\")(?<=[{,\s]\")(?:d|p|q|dp|dq|qi|k)\"\s*:\s*\"(?P<value>[\w+/=-]{20,})",  # a private JSON web key
}
_SHAPES = {literal: re.compile(pattern) for literal, pattern in _HOOKS.items()} | _INNER
_ANCHORED = (  # what is looked for first, and what must stand before it, of how many characters at most
    (
        re.compile(r"\.(?=[a-z0-9]*\d[a-z0-9]*\d)[a-z0-9]{16}(?![\w./-])"),
        re.compile(r"(?<![\w./-])[a-z0-9]{6}$"),
        7,
    ),  # kubeadm
    (re.compile(r"\|[0-9A-Za-z_-]{27,40}(?![\w-])"), re.compile(r"(?<!\d)\d{15,16}$"), 17),  # Facebook's apps
    (re.compile(r"%[0-9A-Za-z_-]{27,40}(?![\w-])"), re.compile(r"(?<!\d)\d{15,16}$"), 17),
)
_HASHES = re.compile(
    r"\$(?:2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|[156]\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22,86})"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 _-]{0,100}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----BEGIN).)*?-----END [A-Z0-9 _-]{0,100}PRIVATE KEY(?: BLOCK)?-----|(?:(?:\s|\\+[nr])*[A-Za-z0-9+/=]{16,})+)",
    re.DOTALL | re.IGNORECASE,
)
_PUTTY = re.compile(r"(?<=Private-Lines: )\d+\s+(?:[A-Za-z0-9+/=]+\s+)+")
_PEM_BASE64 = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{30,}={0,2}")  # the base64 of "-----BEGIN "


def spans(text: str) -> Iterator[Span]:
    """Private keys, tokens and hashes."""
    yield from private_keys(text)
    for prefix, token in _TOKENS.items():
        if prefix in text:
            yield from (match.span() for match in token.finditer(text))
    for literal, shape in _SHAPES.items():
        if literal in text:
            for match in shape.finditer(text):
                yield match.span("value") if "value" in shape.groupindex else match.span()
    yield from (match.span() for match in _HASHES.finditer(text))
    for pattern, before, width in _ANCHORED:
        for match in pattern.finditer(text):
            if head := before.search(text[max(0, match.start() - width) : match.start()]):
                yield match.start() - len(head[0]), match.end()


def private_keys(text: str) -> Iterator[Span]:
    """PEM blocks, cut off or not, also on one line, indented, or in base64."""
    if "-----" in text:
        yield from (match.span() for match in _PEM.finditer(text))
    if "Private-Lines" in text:
        yield from (match.span() for match in _PUTTY.finditer(text))
    for match in _PEM_BASE64.finditer(text):
        if _encodes_key(match[0]):
            yield match.span()


def _encodes_key(encoded: str) -> bool:
    try:
        return b"PRIVATE KEY" in base64.b64decode(encoded[:64])
    except binascii.Error:
        return False
