"""This machine: processes, files, locks, the console, the Go toolchain, Debian packages, and the record of this checkout's cluster."""
