FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

# A stage of its own: a change of the sources alone does not install the dependencies again.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 PAWL_DATA_DIR=/var/lib/pawl
# For the embedded default: a volume mounted here for the first time takes over this owner and mode.
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/pawl
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
USER node
EXPOSE 3000
# Is the process alive, not are its stores: to restart it would not bring a lost Postgres back. Slim has no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# No shell in between, which would keep SIGTERM to itself.
CMD ["node", "dist/src/server.js"]
