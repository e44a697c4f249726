# What works on nodes: docker build --target payload. It needs a base with sh, cat, true and nsenter, and asks no network.
ARG PAYLOAD_BASE=debian:bookworm-slim
# The base is an argument so that a registry of your own, or a local image, can take its place. It must have Node 26.
ARG BASE=node:26-bookworm-slim
FROM ${PAYLOAD_BASE} AS payload
LABEL org.opencontainers.image.title="Drydock payload" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="What Drydock runs on a node: upgrades by kubeadm, OS updates, reboots, etcd snapshots, certificates."
COPY deploy/payload /drydock

FROM ${BASE}
LABEL org.opencontainers.image.title="Drydock" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Takes every Kubernetes node through cordon, drain, upgrade, verify and uncordon."
ENV NODE_ENV=production
WORKDIR /drydock
# Made by `npm run bundle`.
COPY dist/drydock.mjs /drydock/drydock.mjs
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["node", "/drydock/drydock.mjs"]
