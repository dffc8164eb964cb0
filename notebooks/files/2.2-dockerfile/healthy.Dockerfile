# For the exercise `healthy`: goapp on ALPINE, as root and without a health check.
ARG GOAPP
ARG ALPINE
FROM ${GOAPP} AS built

FROM ${ALPINE}
COPY --from=built /usr/local/bin/catalog /catalog
ENTRYPOINT ["/catalog"]
