# The guide's Dockerfile with two stages, with the names of the kit.  Its faults are kept.
ARG GOLANG=golang:1.21
ARG ALPINE=alpine:latest

FROM ${GOLANG} AS build
WORKDIR /src
COPY . .
RUN go build -o hello main.go

FROM ${ALPINE}
WORKDIR /root/
COPY --from=build /src/hello .
CMD ["./hello"]
