# For the exercise `order`: with another page, two layers of this image are new.
ARG ALPINE
FROM ${ALPINE}
COPY page.html /index.html
RUN head -c 20000000 /dev/urandom > /tool
