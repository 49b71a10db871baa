# The image: one static binary, its aliases, and the CA certificates. See docs/image.md for how it was proved.
FROM rust:1-bookworm AS build
ARG PROFILE=dist
WORKDIR /src
# The client of etcd is made from protocol files when it is built.
RUN command -v protoc >/dev/null \
 || (apt-get update -q && apt-get install -y -q --no-install-recommends protobuf-compiler libprotobuf-dev)
COPY . .
# A static glibc binary; the explicit target keeps build scripts and procedural macros dynamic. Where Rust links with lld,
# functions that are the same are there once, and relocations take a word for many.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && case $target in x86_64-*-linux-gnu) small="-C link-arg=-Wl,--icf=all,-z,pack-relative-relocs" ;; *) small= ;; esac \
 && RUSTFLAGS="-C target-feature=+crt-static $small" cargo build --locked --features etcd --profile "$PROFILE" --target "$target" \
 && mkdir -p /image/usr/local/bin /image/usr/bin /image/bin /image/etc/ssl/certs /image/etc/traefik /image/tmp \
 && cp "target/$target/$PROFILE/trafficcop" /image/usr/local/bin/trafficcop \
 && ln -s trafficcop /image/usr/local/bin/traefik \
 && ln -s ../local/bin/trafficcop /image/usr/bin/wget \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && printf 'root:x:0:0:root:/:\nnobody:x:65534:65534:nobody:/:\n' > /image/etc/passwd \
 && printf 'hosts: files dns\n' > /image/etc/nsswitch.conf \
 && chmod 1777 /image/tmp

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="TrafficCop" \
      org.opencontainers.image.description="An edge router that takes over from Traefik v3" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
ENV PATH=/usr/local/bin:/usr/bin
EXPOSE 80
STOPSIGNAL SIGTERM
# No HEALTHCHECK here, as in Traefik's image: without `ping` it would fail and orchestrators would act on it. With ping,
# write `healthcheck: {test: ["CMD", "traefik", "healthcheck"]}` in the compose file.
ENTRYPOINT ["/usr/local/bin/trafficcop"]
