# The guide's Dockerfile, for goapp. It also installs ca-certificates with apk, and the kit's alpine already has them.
ARG GOLANG
ARG ALPINE

FROM ${GOLANG} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=linux go build -o /out/catalog ./cmd/catalog

FROM ${ALPINE}
COPY --from=build /out/catalog /usr/local/bin/catalog
EXPOSE 8080
CMD ["/usr/local/bin/catalog"]
