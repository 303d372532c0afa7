FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

# A separate stage, so that a change of only the sources does not install the dependencies again.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 PAWL_DATA_DIR=/var/lib/pawl
# For the embedded default. A new volume that is mounted here gets this owner and mode.
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/pawl
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
USER node
EXPOSE 3000
# Checks the process, not its stores, because a restart would not repair an unavailable Postgres.
# Uses node, because the slim image has no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Runs without a shell, because a shell would not pass SIGTERM on.
CMD ["node", "dist/src/server.js"]
