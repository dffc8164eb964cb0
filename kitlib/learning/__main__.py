"""`python -m kitlib.learning` regenerates the map of chapters in the README."""

from kitlib.learning import chaptermap
from kitlib.learning.frame import frames

chaptermap.write(frames())
