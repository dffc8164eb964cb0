"""`python -m kitlib` is the same as `./kit`."""

from kitlib.host import stopping

stopping.from_the_start()

from kitlib.cli import main  # noqa: E402

raise SystemExit(main())
