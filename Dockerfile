# Jobmill in a small image: docker build -t jobmill .
# Run it: docker run -p 8080:8080 -e JOBMILL_TOKEN=... -v jobmill:/data jobmill (see deploy/compose.yaml for a hardened way).
ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${SWIFT_IMAGE} AS build
COPY deploy/lib.sh /tmp/
RUN bash -euo pipefail -c '. /tmp/lib.sh; need_packages "${build_packages[@]}"'
WORKDIR /source
COPY . .
RUN swift build --configuration release --product jobmill --static-swift-stdlib \
    && install -D -t /out "$(swift build --configuration release --static-swift-stdlib --show-bin-path)/jobmill" \
    && strip --strip-debug /out/jobmill

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libcurl4 libmicrohttpd12 libsqlite3-0 libvips42 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin jobmill \
    && install -d -o jobmill -g jobmill -m 0750 /data
COPY --from=build /out/jobmill /usr/local/bin/jobmill
# A crash must not print memory, which may hold payloads, into the logs.
ENV SWIFT_BACKTRACE=enable=no
USER jobmill
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["jobmill"]
# Beyond loopback the service insists on a token: set JOBMILL_TOKEN, or mount a file and add --token-file.
CMD ["serve", "--listen", "0.0.0.0:8080", "--data", "/data"]
