# For the exercise `complete`: the program of this image starts, and finds nothing of what it looks for.
ARG GOLANG
FROM ${GOLANG} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build CGO_ENABLED=0 go build -o /out/needs ./needs

FROM scratch
COPY --from=build /out /
USER 65534
ENTRYPOINT ["/needs"]
