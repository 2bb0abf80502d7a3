# syntax=docker/dockerfile:1
# Herald's image: compiled sources, production dependencies, no build tools. The configuration is mounted
# at /etc/herald; see docs/deploy.md.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/build.mjs
COPY src src
RUN node scripts/build.mjs

FROM node:24-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
# The socket cannot be beside the configuration, which is mounted read-only.
ENV NODE_ENV=production HERALD_ADMIN_SOCKET=/run/herald/herald.sock
WORKDIR /opt/herald
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY config config
COPY package.json LICENSE ./
RUN ln -s /opt/herald/dist/cli/main.js /usr/local/bin/herald && install -d -m 0700 -o 1000 -g 1000 /run/herald
# User `node` of the base image, by number: Kubernetes' runAsNonRoot cannot judge a name.
USER 1000:1000
EXPOSE 8080 9401
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:9401/healthz', { signal: AbortSignal.timeout(2000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["herald", "serve"]
