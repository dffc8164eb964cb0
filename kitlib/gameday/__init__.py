"""Game days: faults that are real, the alerts that must tell of them, and what it takes to find and to repair them."""
