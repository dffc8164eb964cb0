"""Exercises of 2.2-dockerfile: the learner builds images by `kit.builds.build`; the checks look into them."""

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
    """A build that needs a secret, and an image that has none.

    Its id is not the chapter's: what a secret says is no part of the cache's key, and the same line would find the chapter's layer.
    """

    name = f"{CHAPTER}/secret"
    made = "exercise-secret"
    tags = ("answer",)
    task = (
        f"Build `{made}:answer` on `ALPINE` so that `/fingerprint` has the SHA-256 of the licence `{LICENCE}` (`sha256sum` makes it), "
        "and the licence itself is in no layer and not in the image's configuration. The build gets it as the secret `exercise`: "
        f'`kit.builds.build(cluster.engine, dockerfile, "{made}:answer", secrets={{"exercise": "{LICENCE}"}})`, or '
        f"`docker build --secret id=exercise,src=FILE -t {made}:answer .` with a file that holds the licence and no newline. "
        "`COPY Dockerfile /Dockerfile` puts the Dockerfile into the image: the check builds it again with another licence."
    )
    hints = (
        "Whatever an ARG, an ENV or a COPY holds stays in the image. Which instruction can see a file that no layer "
        "keeps?",
        "`RUN --mount=type=secret,id=exercise` shows a secret to one instruction, as the file /run/secrets/exercise.",
        "`RUN --mount=type=secret,id=exercise sha256sum < /run/secrets/exercise > /fingerprint`, and `COPY Dockerfile "
        "/Dockerfile` after it.",
    )
    solution_text = (
        'text = "ARG ALPINE\\nFROM ${ALPINE}\\n"\n'
        'text += "RUN --mount=type=secret,id=exercise sha256sum < /run/secrets/exercise > /fingerprint\\n"\n'
        'text += "COPY Dockerfile /Dockerfile\\n"\n'
        f'kit.builds.build(cluster.engine, text, "{made}:answer", secrets={{"exercise": "{LICENCE}"}})'
    )

    def judge(self) -> Outcome:
        """Look for the licence and its fingerprint in the image, then build the answer's Dockerfile with another licence."""
        found = traces(self.cluster.engine, self.reference("answer"), LICENCE)
        if found:
            kept = "configuration" in found
            saw = f"the licence is in: {', '.join(found)}"
            where = "docker history: arguments and ENV are kept there"
            return failed(saw, look=where if kept else "the layers: which instruction wrote the licence to a file?")
        says = self.ask("answer", "cat", "/fingerprint").split()
        if says[:1] != [PRINT]:
            return failed(
                f"/fingerprint says {' '.join(says)!r}", look="what sha256sum reads: the licence and nothing else"
            )
        return self._with_another_licence()

    def _with_another_licence(self) -> Outcome:
        """Build the answer's own Dockerfile with a licence that is not known before: an answer that repeats a text cannot follow."""
        engine, other = self.cluster.engine, secrets.token_hex(8)
        try:
            text = builds.take(engine, self.made, self.reference("answer"), "/Dockerfile").decode(errors="replace")
            again = builds.build(engine, uncached(text, other), f"{self.made}:again", secrets={SECRET_ID: other})
        except (EngineError, BuildFailed) as e:
            return failed(
                e.message,
                *e.observed[-3:],
                look="/Dockerfile in the image: it has to build with nothing but itself, the bases and the secret",
            )
        ended = engine.run(again, ["cat", "/fingerprint"])
        engine.remove(again)
        if ended.output.split()[:1] != [fingerprint(other)]:
            return failed(
                f"with another licence, /fingerprint says {ended.said!r}",
                look="the instruction that writes /fingerprint: it has to read the secret, and not to repeat a known checksum",
            )
        return passed(
            f"/fingerprint says {PRINT[:12]}…",
            f"with another licence it says {fingerprint(other)[:12]}…",
            "the licence is in no layer and not in the configuration",
        )


def fingerprint(licence: str) -> str:
    """What sha256sum prints first for it."""
    return hashlib.sha256(licence.encode()).hexdigest()


def uncached(dockerfile: str, token: str) -> str:
    """The Dockerfile with an argument of this value in each stage.

    A secret's content is no part of the cache's key, and an argument is: without it the build would find the layer of the first one.
    """
    return FROM.sub(rf"\g<0>\nARG KIT_CHECK={hashlib.sha256(token.encode()).hexdigest()[:12]}", dockerfile)


class Healthy(Built):
    """An image that does not run as root, and has a health check."""

    name = f"{CHAPTER}/healthy"
    made = "exercise-healthy"
    tags = ("answer",)
    task = (
        f"Build `{made}:answer` on `ALPINE` with goapp's program in it (`COPY --from=built /usr/local/bin/catalog /catalog`, where "
        "`ARG GOAPP` and `FROM ${GOAPP} AS built` name its image). It runs as a user other than root, and has a HEALTHCHECK that "
        "succeeds: goapp answers on port 8080 at /health. "
        '`kit.builds.build(cluster.engine, dockerfile, tag, args={"GOAPP": kit.image("goapp-scratch").reference})` builds it.'
    )
    hints = (
        "The check runs inside the container: which program for HTTP does this base have?",
        "BusyBox has `wget`. It ends with 0 if the answer is good, which is what HEALTHCHECK looks at. A USER by number "
        "needs no entry in /etc/passwd.",
        '`HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]`, `USER 65532:65532`, '
        '`ENTRYPOINT ["/catalog"]`.',
    )
    solution_text = (
        'text = """\\\nARG GOAPP\nARG ALPINE\nFROM ${GOAPP} AS built\nFROM ${ALPINE}\n'
        "COPY --from=built /usr/local/bin/catalog /catalog\nUSER 65532:65532\n"
        'HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]\nENTRYPOINT ["/catalog"]\n"""\n'
        'goapp = {"GOAPP": kit.image("goapp-scratch").reference}\n'
        f'kit.builds.build(cluster.engine, text, "{made}:answer", args=goapp)'
    )

    def judge(self) -> Outcome:
        """Look whether the image's user is not root, and a container of it becomes healthy."""
        user, refused = self.user("answer")
        if refused:
            return refused
        check = (self.image("answer")["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
        if check == ["NONE"]:
            return failed("the image's configuration has no check", look="the HEALTHCHECK instruction")
        word, said = health.status(self.cluster.engine, self.made, self.reference("answer"))
        if word == "ended":
            return failed("a container of it ended at once", look="ENTRYPOINT: where did COPY put the program?")
        if word != "healthy":
            return failed(f"{check} makes it {word}: {said}", look="the check's command: is that program in the image?")
        return passed(f"its user is {user}", f"{check} makes it {word}")


class Ignored(Built):
    """What a build must not see."""

    name = f"{CHAPTER}/ignore"
    made = "exercise-ignore"
    tags = ("answer",)
    task = (
        f'`files = dict(kit.exercise("{name}").given())` is a folder, path to text, with a secret in it. Add a `.dockerignore`, and build '
        f"`{made}:answer` from `ALPINE` with `COPY . /src`: "
        "`main.go` has to be in the image, and neither `.env` nor `.git` nor `bin`, in any layer. "
        "`kit.builds.build(cluster.engine, dockerfile, tag, files=files)` builds it."
    )
    hints = (
        "What is not in the build context cannot be copied. Which file says what stays outside?",
        "A .dockerignore has one pattern per line, and is itself a file of the context. A `RUN rm` comes too late: the "
        "layer before has the file.",
        "`.dockerignore` has the three lines `.env`, `.git` and `bin`; put it into `files` beside the others before you "
        "build.",
    )
    solution_text = (
        f'files = dict(kit.exercise("{name}").given())\n'
        'files[".dockerignore"] = ".env\\n.git\\nbin\\n"\n'
        f'kit.builds.build(cluster.engine, "ARG ALPINE\\nFROM ${{ALPINE}}\\nCOPY . /src\\n", "{made}:answer", files=files)'
    )

    def given(self) -> dict[str, str]:
        """The folder to build from, path to text."""
        return dict(FILES)

    def judge(self) -> Outcome:
        """Look whether `/src` has `main.go` and no unwanted file, and no layer has the secret."""
        listed = self.ask("answer", "ls", "-A", "/src").split()
        saw = f"/src has {', '.join(listed) or 'nothing'}"
        if "main.go" not in listed:
            return failed(saw, look="main.go: does a pattern of the .dockerignore fit it?")
        unwanted = [name for name in UNWANTED if name in listed]
        if unwanted:
            return failed(saw, f"not wanted: {', '.join(unwanted)}", look="the patterns of .dockerignore, one by one")
        if traces(self.cluster.engine, self.reference("answer"), SECRET):
            return failed(saw, "a layer has the secret", look="the layers below: what RUN rm removes was copied before")
        return passed(saw, "the secret is in no layer")
