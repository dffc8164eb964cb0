# For the exercise `deleted`: the image of this file is twenty million bytes too large.
ARG ALPINE
FROM ${ALPINE}
RUN head -c 20000000 /dev/urandom > /big
RUN sha256sum /big > /result
RUN rm /big
