# For the exercise `loader`: the Dockerfile of the guide's section 2.3, restated for goapp.  Its image does not start.
ARG GOLANG
ARG ALPINE
FROM ${GOLANG} AS build
WORKDIR /src
COPY . .
RUN go build -o /catalog ./cmd/catalog

FROM ${ALPINE}
COPY --from=build /catalog /catalog
ENTRYPOINT ["/catalog"]
