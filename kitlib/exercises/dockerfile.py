"""Exercises of 2.2-dockerfile: the learner builds images by `kit.measure.builds.build`; the checks look into them."""

from __future__ import annotations

import hashlib

from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.built import Built
from kitlib.measure import health
from kitlib.measure.context import FILES, SECRET
from kitlib.measure.traces import traces

CHAPTER = "2.2-dockerfile"
LICENCE = "exercise-licence-51c9"
PRINT = hashlib.sha256(LICENCE.encode()).hexdigest()
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
        "and the licence itself is in no layer and not in the image's configuration. "
        f'`kit.measure.builds.build(cluster.engine, dockerfile, tag, secrets={{"exercise": "{LICENCE}"}})` hands it to the build.'
    )
    first_hint = (
        "`RUN --mount=type=secret,id=exercise` shows a secret to one instruction, as the file /run/secrets/exercise."
    )
    solution_text = (
        'text = "ARG ALPINE\\nFROM ${ALPINE}\\n"\n'
        'text += "RUN --mount=type=secret,id=exercise sha256sum < /run/secrets/exercise > /fingerprint\\n"\n'
        f'kit.measure.builds.build(cluster.engine, text, "{made}:answer", secrets={{"exercise": "{LICENCE}"}})'
    )

    def judge(self) -> Outcome:
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
        return passed(f"/fingerprint says {PRINT[:12]}…", "the licence is in no layer and not in the configuration")


class Healthy(Built):
    """An image that runs as nobody in particular, and says how it is."""

    name = f"{CHAPTER}/healthy"
    made = "exercise-healthy"
    tags = ("answer",)
    task = (
        f"Build `{made}:answer` on `ALPINE` with goapp's program in it (`COPY --from=built /usr/local/bin/catalog /catalog`, where "
        "`ARG GOAPP` and `FROM ${GOAPP} AS built` name its image). It runs as a user other than root, and has a HEALTHCHECK that "
        "succeeds: goapp answers on port 8080 at /health. "
        '`kit.measure.builds.build(cluster.engine, dockerfile, tag, args={"GOAPP": kit.image("goapp-scratch").reference})` builds it.'
    )
    first_hint = "The check runs inside the container: which program for HTTP does this base have?"
    solution_text = (
        'text = """\\\nARG GOAPP\nARG ALPINE\nFROM ${GOAPP} AS built\nFROM ${ALPINE}\n'
        "COPY --from=built /usr/local/bin/catalog /catalog\nUSER 65532:65532\n"
        'HEALTHCHECK CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]\nENTRYPOINT ["/catalog"]\n"""\n'
        'goapp = {"GOAPP": kit.image("goapp-scratch").reference}\n'
        f'kit.measure.builds.build(cluster.engine, text, "{made}:answer", args=goapp)'
    )

    def judge(self) -> Outcome:
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
        "`kit.measure.builds.build(cluster.engine, dockerfile, tag, files=files)` builds it."
    )
    first_hint = "A .dockerignore has a pattern a line, and is itself a file of the context."
    solution_text = (
        f'files = dict(kit.exercise("{name}").given())\n'
        'files[".dockerignore"] = ".env\\n.git\\nbin\\n"\n'
        f'kit.measure.builds.build(cluster.engine, "ARG ALPINE\\nFROM ${{ALPINE}}\\nCOPY . /src\\n", "{made}:answer", files=files)'
    )

    def given(self) -> dict[str, str]:
        """The folder."""
        return dict(FILES)

    def judge(self) -> Outcome:
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
