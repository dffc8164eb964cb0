# The debug target, with the source beside the program, so that the command line of Delve can show lines.
ARG GOLANG
ARG DELVE

FROM ${GOLANG} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -gcflags="all=-N -l" -o /out/catalog ./cmd/catalog

FROM ${DELVE}
COPY --from=build /out/catalog /usr/local/bin/catalog
COPY --from=build /src /src
ENV XDG_CONFIG_HOME=/tmp
EXPOSE 8080 40000
ENTRYPOINT ["dlv", "exec", "--headless", "--listen=:40000", "--api-version=2", "--accept-multiclient", "--continue", \
            "/usr/local/bin/catalog"]
