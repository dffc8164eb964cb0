# For the exercise `secret`: the licence stays in the image of this file.  Copy the file to secret/Dockerfile, and change it there.
ARG ALPINE
FROM ${ALPINE}
ARG LICENCE
RUN printf %s "$LICENCE" | sha256sum > /fingerprint
COPY Dockerfile /Dockerfile
