"""`kit.explain` finds a term as a learner writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

import kitlib as kit
from kitlib.errors import InputError, UsageError
from kitlib.learning.glossary import terms


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Endpoint", "Endpoint"),
        ("endpoint", "Endpoint"),
        ("ENDPOINTS", "Endpoint"),
        ("endpoint slice", "EndpointSlice"),
        ("readinessProbe", "Readiness probe"),
        ("readiness probes", "Readiness probe"),
        ("crash-loop back-off", "CrashLoopBackOff"),
        ("NetworkPolicies", "NetworkPolicy"),
        ("QoS classes", "QoS class"),
        ("Ingress", "Ingress"),
        ("  pod ", "Pod"),
        ("p99", "Percentile"),
        ("PDB", "PodDisruptionBudget"),
    ],
)
def test_a_term_is_found(word: str, name: str) -> None:
    """Case, spaces, hyphens, the plural and other names do not matter."""
    assert kit.explain(word).name == name


def test_a_term_is_shown() -> None:
    """Text for a terminal, HTML with a link for a notebook."""
    pod = kit.explain("pod")

    assert repr(pod).startswith("Pod: The smallest thing")
    assert 'href="https://kubernetes.io/docs/concepts/workloads/pods/"' in pod._repr_html_()


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("depoyment", "did you mean deployment"),
        ("readyness probe", "did you mean readiness probe"),
        ("kubernetse", "docs/glossary.md has all terms"),
        ("", "docs/glossary.md has all terms"),
    ],
)
def test_an_unknown_term(word: str, hint: str) -> None:
    """It is a usage error with the terms that come close."""
    with pytest.raises(UsageError, match=hint):
        kit.explain(word)


def test_an_entry_has_its_parts(tmp_path: Path) -> None:
    """Text over several lines, other names, and the link."""
    page = tmp_path / "glossary.md"
    page.write_text("# G\n\nIntro.\n\n## A b\n\nOne\ntwo.\n\nAlso: c, d e\n\nMore: [F](https://g/)\n")
    (term,) = terms(page)

    assert (term.name, term.text, term.also) == ("A b", "One two.", ("c", "d e"))
    assert (term.page, term.address, term.anchor) == ("F", "https://g/", "a-b")


@pytest.mark.parametrize("body", ["", "\nText.\n", "\nMore: [F](https://g/)\n", "\nText.\nMore: [F](https://g/)\n"])
def test_an_entry_of_another_form(tmp_path: Path, body: str) -> None:
    """It is refused with its line."""
    page = tmp_path / "glossary.md"
    page.write_text(f"# G\n\n## A\n{body}\n## B\n\nText.\n\nMore: [F](https://g/)\n")

    with pytest.raises(InputError, match="line 3: 'A' is not an entry"):
        terms(page)
