"""Tests never work on a learner's cluster or results."""

import os
import signal

# A shell that starts a job in the background has it ignore interrupts, and all that it starts: tests interrupt what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("KIT_CLUSTER", "kit-test")
