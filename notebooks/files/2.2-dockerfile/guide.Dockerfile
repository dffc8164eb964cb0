# The guide's Dockerfile, with the names of the kit.  Its faults are kept: an old tag, one that moves, and no USER.
ARG GOLANG=golang:1.21
ARG ALPINE=alpine:latest

FROM ${GOLANG} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=linux go build -o greet ./cmd/greet

FROM ${ALPINE}
WORKDIR /root/
COPY --from=build /src/greet .
CMD ["./greet"]
