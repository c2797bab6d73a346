# The packages of the final image: production packages only.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/package.json client/
COPY tools/package.json tools/
COPY web/package.json web/
RUN npm ci --omit=dev
COPY scripts/trim.mjs scripts/
RUN node scripts/trim.mjs

# The build, with the compiler and Prisma's generator. Only its dist/ goes into the final image.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/package.json client/
COPY tools/package.json tools/
COPY web/package.json web/
RUN npm ci --workspace=client --workspace=web --include-workspace-root
COPY . .
RUN npm run build && rm -r dist/scripts/bench

FROM node:24-slim
ENV NODE_ENV=production PORT=8080 PARLEY_DATA_DIR=/data
RUN mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/web/dist web/dist
COPY prisma prisma
COPY config config
COPY package.json ./
USER node
# Holds the embedded database, which is used if DATABASE_URL is not set.
VOLUME /data
EXPOSE 8080
# Checks whether the process answers, not whether it is ready: a restart would not bring back a lost database.
HEALTHCHECK --start-period=30s --interval=10s --timeout=5s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Starts node instead of npm, because node handles the signal and exits with 0.
CMD ["node", "--enable-source-maps", "dist/src/server.js"]
