"""Tests never work on a learner's cluster or results."""

import os

os.environ.setdefault("KIT_CLUSTER", "kit-test")
