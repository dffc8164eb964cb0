"""Exercises of 2.2-dockerfile: the learner builds images with `docker build`; the checks inspect them."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import ClassVar

from kitlib.errors import BuildFailed, EngineError
from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.built import Built
from kitlib.measure.images import health
from kitlib.measure.images.context import SECRET
from kitlib.measure.images.traces import traces
from kitlib.workloads import builds

CHAPTER = "2.2-dockerfile"
LICENCE = "exercise-licence-51c9"
PRINT = hashlib.sha256(LICENCE.encode()).hexdigest()
SECRET_ID = "exercise"  # noqa: S105  (of the build)
FROM = re.compile(r"^[ \t]*FROM[ \t]+(--\S+[ \t]+)*\S+([ \t]+AS[ \t]+\S+)?[ \t]*$", re.MULTILINE | re.IGNORECASE)
UNWANTED = (".env", ".git", "bin")


class Secret(Built):
    """A build that needs a secret, and an image that does not contain it.

    The chapter uses another id.  The content of a secret is not part of the cache key, so with the same id and instruction the build
    would take the chapter's layer from the cache.
    """

    name = f"{CHAPTER}/secret"
    made = "exercise-secret"
    tags = ("answer",)
    task = (
        f"Build `{made}:answer` on `ALPINE`. `/fingerprint` must contain the SHA-256 of the licence `{LICENCE}`, as `sha256sum` prints it. "
        "The licence itself must be in no layer and not in the image's configuration, and the Dockerfile must be in the image as "
        "`/Dockerfile`: the check builds it again with another licence. `secret.Dockerfile` is a beginning. Make the folder "
        f"`secret` with a copy of it called `Dockerfile`, and write the licence to a file: `printf %s {LICENCE} > licence.txt`. "
        f"Then run `docker build --build-arg ALPINE=$ALPINE --secret id={SECRET_ID},src=licence.txt -t {made}:answer secret`."
    )
    hints = (
        "The values of ARG and ENV and the files of COPY stay in the image. Which instruction can read a file that is in "
        "no layer?",
        f"`RUN --mount=type=secret,id={SECRET_ID}` gives the secret to one instruction, as the file /run/secrets/{SECRET_ID}. If "
        "you correct licence.txt after a build, add `--no-cache` to the next one.",
        f"In place of `ARG LICENCE` and its `RUN`, write `RUN --mount=type=secret,id={SECRET_ID} sha256sum < /run/secrets/{SECRET_ID} > "
        "/fingerprint`. `COPY Dockerfile /Dockerfile` stays after it.",
    )
    solution_text = f"""\
mkdir -p mounted
cat > mounted/Dockerfile <<'END'
ARG ALPINE
FROM ${{ALPINE}}
RUN --mount=type=secret,id={SECRET_ID} sha256sum < /run/secrets/{SECRET_ID} > /fingerprint
COPY Dockerfile /Dockerfile
END
printf %s {LICENCE} > licence.txt
docker build --build-arg ALPINE="$ALPINE" --secret id={SECRET_ID},src=licence.txt -t {made}:answer mounted"""

    def judge(self) -> Outcome:
        """Search the image for the licence and its fingerprint, then build the answer's Dockerfile with another licence."""
        found = traces(self.cluster.engine, self.reference("answer"), LICENCE)
        if found:
            kept = "configuration" in found
            saw = f"the licence is in: {', '.join(found)}"
            where = "docker history: it shows arguments and ENV"
            return failed(saw, look=where if kept else "the layers: which instruction wrote the licence to a file?")
        says = self.ask("answer", "cat", "/fingerprint").split()
        if says[:1] != [PRINT]:
            return failed(
                f"/fingerprint contains {' '.join(says)!r}",
                look="the input of sha256sum: only the licence, without a newline. With `--no-cache`, a build reads a corrected file",
            )
        return self._with_another_licence()

    def _with_another_licence(self) -> Outcome:
        """Build the answer's own Dockerfile with a new random licence; a Dockerfile that writes a fixed checksum fails."""
        engine, other = self.cluster.engine, secrets.token_hex(8)
        try:
            text = builds.take(engine, self.made, self.reference("answer"), "/Dockerfile").decode(errors="replace")
            again = builds.build(engine, uncached(text, other), f"{self.made}:again", secrets={SECRET_ID: other})
        except (EngineError, BuildFailed) as e:
            return failed(
                e.message,
                *e.observed[-3:],
                look="/Dockerfile in the image: its build may need only the Dockerfile itself, the base images and the secret",
            )
        ended = engine.run(again, ["cat", "/fingerprint"])
        engine.remove(again)
        if ended.output.split()[:1] != [fingerprint(other)]:
            return failed(
                f"with another licence, reading /fingerprint gives {ended.said!r}",
                look="the instruction that writes /fingerprint: it must read the secret, and must not write a known checksum",
            )
        return passed(
            f"/fingerprint contains {PRINT[:12]}…",
            f"with another licence, it contains {fingerprint(other)[:12]}…",
            "the licence is in no layer and not in the configuration",
        )


def fingerprint(licence: str) -> str:
    """The checksum that sha256sum prints for a licence."""
    return hashlib.sha256(licence.encode()).hexdigest()


def uncached(dockerfile: str, token: str) -> str:
    """The Dockerfile with a build argument in each stage; its value depends on the token.

    The content of a secret is not part of the cache key, but an argument is.  Without it, the second build would take the layer of the
    first one from the cache.
    """
    return FROM.sub(rf"\g<0>\nARG KIT_CHECK={hashlib.sha256(token.encode()).hexdigest()[:12]}", dockerfile)


class Healthy(Built):
    """An image that does not run as root, and has a health check."""

    name = f"{CHAPTER}/healthy"
    made = "exercise-healthy"
    tags = ("answer",)
    uses: ClassVar = {"GOAPP": "goapp-scratch", **Built.uses}
    task = (
        "`healthy.Dockerfile` puts goapp's program on `ALPINE`. Its image runs as root and has no health check. Change both, and build "
        f"`{made}:answer`: `docker build --build-arg GOAPP=$GOAPP --build-arg ALPINE=$ALPINE -f healthy.Dockerfile -t {made}:answer .`. "
        "Your image must run as a user other than root, and have a HEALTHCHECK that succeeds. goapp answers on port 8080 at /health."
    )
    hints = (
        "The health check runs inside the container. Which HTTP client does this base image have?",
        "BusyBox has `wget`. Its exit code is 0 if the request succeeds, and HEALTHCHECK uses the exit code. A USER "
        "that is a number needs no entry in /etc/passwd.",
        'Write `HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]` and `USER 65532:65532` '
        "before the ENTRYPOINT. `docker ps` shows `(healthy)` beside a container of your image as soon as the first check has succeeded.",
    )
    solution_text = f"""\
cat > checked.Dockerfile <<'END'
ARG GOAPP
ARG ALPINE
FROM ${{GOAPP}} AS built

FROM ${{ALPINE}}
COPY --from=built /usr/local/bin/catalog /catalog
USER 65532:65532
HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]
ENTRYPOINT ["/catalog"]
END
docker build --build-arg GOAPP="$GOAPP" --build-arg ALPINE="$ALPINE" -f checked.Dockerfile -t {made}:answer ."""

    def judge(self) -> Outcome:
        """Verify that the image's user is not root, and that a container of the image becomes healthy."""
        user, refused = self.user("answer")
        if refused:
            return refused
        check = (self.image("answer")["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
        if check == ["NONE"]:
            return failed("the image's configuration has no health check", look="the HEALTHCHECK instruction")
        word, said = health.status(self.cluster.engine, self.made, self.reference("answer"))
        if word == "ended":
            return failed("a container of the image ended at once", look="ENTRYPOINT: where did COPY put the program?")
        if word != "healthy":
            return failed(
                f"with {check}, the container is {word}: {said}",
                look="the command of HEALTHCHECK: is its program in the image?",
            )
        return passed(f"the image's user is {user}", f"with {check}, the container is {word}")


class Ignored(Built):
    """A folder with files that a build must not see."""

    name = f"{CHAPTER}/ignore"
    made = "exercise-ignore"
    tags = ("answer",)
    task = (
        "`sh ignore.sh` makes the folder `ignore`, with a Dockerfile that copies the whole folder to `/src`. One of the other "
        f"files contains a secret. Add a `.dockerignore` to the folder, and build `{made}:answer`: `docker build --build-arg "
        f"ALPINE=$ALPINE -t {made}:answer ignore`. The image must contain `main.go`. No layer may contain `.env`, `.git` or `bin`."
    )
    hints = (
        "COPY can copy only files of the build context. Which file lists what stays out of the context?",
        "A .dockerignore has one pattern per line, and is itself a file of the context. A `RUN rm` comes too late, "
        "because an earlier layer already has the file.",
        "Write the three lines `.env`, `.git` and `bin` into `ignore/.dockerignore`, and build. `ls -A ignore` shows the folder.",
    )
    solution_text = f"""\
sh ignore.sh
printf '%s\\n' .env .git bin > ignore/.dockerignore
docker build --build-arg ALPINE="$ALPINE" -t {made}:answer ignore"""

    def judge(self) -> Outcome:
        """Verify that `/src` has `main.go` and no unwanted file, and that no layer contains the secret."""
        listed = self.ask("answer", "ls", "-A", "/src").split()
        saw = f"/src contains {', '.join(listed) or 'nothing'}"
        if "main.go" not in listed:
            return failed(saw, look="main.go: does a pattern of the .dockerignore match it?")
        unwanted = [name for name in UNWANTED if name in listed]
        if unwanted:
            return failed(saw, f"not wanted: {', '.join(unwanted)}", look="the patterns of .dockerignore, one by one")
        if traces(self.cluster.engine, self.reference("answer"), SECRET):
            return failed(saw, "a layer contains the secret", look="the earlier layers: RUN rm does not change them")
        return passed(saw, "the secret is in no layer")
