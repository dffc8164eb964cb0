"""The kit's side of rows 4 and 5, as a process: wait for a Deployment, print one line when the wait returns, then what it cost."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from kitlib.kube import wait
from kitlib.kube.client import Kube
from kitlib.workloads import app


def main(kubeconfig: str, namespace: str, name: str) -> None:
    kube = Kube(Path(kubeconfig))
    began = time.process_time()
    wait.until(kube, "Deployment", name, namespace, done=app.rolled_out, what="rolled out")
    print("done", flush=True)
    print(time.process_time() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
