"""`python -m kitlib.pipelines` regenerates the files of cluster/pipelines/."""

from kitlib.pipelines import FOLDER, files

for name, text in files.rendered().items():
    (FOLDER / name).write_text(text)
