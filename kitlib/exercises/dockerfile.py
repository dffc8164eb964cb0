"""Exercises of 2.2-dockerfile: the learner builds images by `kit.builds.build`; the checks inspect them."""

from __future__ import annotations

import hashlib
import re
import secrets

from kitlib.errors import BuildFailed, EngineError
from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.built import Built
from kitlib.measure.images import health
from kitlib.measure.images.context import FILES, SECRET
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
        "The licence itself must be in no layer and not in the image's configuration. The build gets it as the secret `exercise`: "
        f'`kit.builds.build(cluster.engine, dockerfile, "{made}:answer", secrets={{"exercise": "{LICENCE}"}})`, or '
        f"`docker build --secret id=exercise,src=FILE -t {made}:answer .` with a file that contains the licence and no newline. "
        "Also copy the Dockerfile into the image, with `COPY Dockerfile /Dockerfile`: the check builds it again with another licence."
    )
    hints = (
        "The values of ARG and ENV and the files of COPY stay in the image. Which instruction can read a file that is in "
        "no layer?",
        "`RUN --mount=type=secret,id=exercise` gives the secret to one instruction, as the file /run/secrets/exercise.",
        "Write `RUN --mount=type=secret,id=exercise sha256sum < /run/secrets/exercise > /fingerprint`, and after it "
        "`COPY Dockerfile /Dockerfile`.",
    )
    solution_text = (
        'text = "ARG ALPINE\\nFROM ${ALPINE}\\n"\n'
        'text += "RUN --mount=type=secret,id=exercise sha256sum < /run/secrets/exercise > /fingerprint\\n"\n'
        'text += "COPY Dockerfile /Dockerfile\\n"\n'
        f'kit.builds.build(cluster.engine, text, "{made}:answer", secrets={{"exercise": "{LICENCE}"}})'
    )

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
                look="the input of sha256sum: it must be the licence and nothing else",
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
    task = (
        f"Build `{made}:answer` on `ALPINE`, with goapp's program in it. `ARG GOAPP` and `FROM ${{GOAPP}} AS built` name goapp's image, "
        "and `COPY --from=built /usr/local/bin/catalog /catalog` copies the program. Your image must run as a user other than root, and "
        "have a HEALTHCHECK that succeeds. goapp answers on port 8080 at /health. "
        '`kit.builds.build(cluster.engine, dockerfile, tag, args={"GOAPP": kit.image("goapp-scratch").reference})` builds it.'
    )
    hints = (
        "The health check runs inside the container. Which HTTP client does this base image have?",
        "BusyBox has `wget`. Its exit code is 0 if the request succeeds, and HEALTHCHECK uses the exit code. A USER "
        "that is a number needs no entry in /etc/passwd.",
        'Write `HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]`, `USER 65532:65532` '
        'and `ENTRYPOINT ["/catalog"]`.',
    )
    solution_text = (
        'text = """\\\nARG GOAPP\nARG ALPINE\nFROM ${GOAPP} AS built\nFROM ${ALPINE}\n'
        "COPY --from=built /usr/local/bin/catalog /catalog\nUSER 65532:65532\n"
        'HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]\nENTRYPOINT ["/catalog"]\n"""\n'
        'goapp = {"GOAPP": kit.image("goapp-scratch").reference}\n'
        f'kit.builds.build(cluster.engine, text, "{made}:answer", args=goapp)'
    )

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
        f'`files = dict(kit.exercise("{name}").given())` gives a folder as a dict from path to text. One file contains a secret. '
        f"Add a `.dockerignore`, and build `{made}:answer` from `ALPINE` with `COPY . /src`. "
        "The image must contain `main.go`. No layer may contain `.env`, `.git` or `bin`. "
        "`kit.builds.build(cluster.engine, dockerfile, tag, files=files)` builds it."
    )
    hints = (
        "COPY can copy only files of the build context. Which file lists what stays out of the context?",
        "A .dockerignore has one pattern per line, and is itself a file of the context. A `RUN rm` comes too late, "
        "because an earlier layer already has the file.",
        "Write the three lines `.env`, `.git` and `bin` into `.dockerignore`. Add this file to `files` before you build.",
    )
    solution_text = (
        f'files = dict(kit.exercise("{name}").given())\n'
        'files[".dockerignore"] = ".env\\n.git\\nbin\\n"\n'
        f'kit.builds.build(cluster.engine, "ARG ALPINE\\nFROM ${{ALPINE}}\\nCOPY . /src\\n", "{made}:answer", files=files)'
    )

    def given(self) -> dict[str, str]:
        """The files of the folder to build from: path -> text."""
        return dict(FILES)

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
