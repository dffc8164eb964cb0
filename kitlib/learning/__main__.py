"""`python -m kitlib.learning` regenerates what pages have of the chapters: the map in the README, and the agendas for trainers."""

from kitlib.learning import agenda, chaptermap
from kitlib.learning.frame import frames

known = frames()
chaptermap.write(known)
agenda.write(known)
