"""`python -m kitlib.pipelines` writes the files of cluster/pipelines/ anew."""

from kitlib.pipelines import FOLDER, files

for name, text in files.rendered().items():
    (FOLDER / name).write_text(text)
