import { randomUUID } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { openapi } from '../plugins/openapi.ts'
import { renderClientError, renderError, renderNotFound } from '../plugins/problem-details.ts'
import { type Config, ConfigError, loadConfig } from './config.ts'
import { PawlError } from './errors.ts'
import { pawl } from './index.ts'
import { packageVersion } from './package-info.ts'
import { welcome } from './welcome.ts'

/** Bytes: the largest body of ours is a tenth of it. */
const BODY_LIMIT = 65_536
/** Milliseconds that a request may take to arrive whole. */
const REQUEST_LIMIT = 30_000
/** Milliseconds that requests under way have to finish once the process is told to stop. */
const STOP_LIMIT = 10_000
/** Milliseconds that all of the start may take: twice the wait for a store, and a first run of the embedded database. */
const START_LIMIT = 60_000

/** The server as it runs in production, not yet listening. */
export async function buildServer(config: Config, clock?: () => number): Promise<FastifyInstance> {
  const app = Fastify({
    logger: { level: config.logLevel, serializers: { req: describeRequest } },
    trustProxy: config.trustProxy,
    genReqId: () => randomUUID(),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_LIMIT,
    return503OnClosing: false,
    pluginTimeout: START_LIMIT,
    clientErrorHandler: renderClientError,
    frameworkErrors: renderError,
  })
  app.setErrorHandler(renderError)
  app.setNotFoundHandler(renderNotFound)
  refuseWhileStopping(app)
  await app.register(openapi, { version: packageVersion(), issuer: config.tokens.issuer })
  await app.register(pawl, clock ? { config, clock } : { config })
  return app
}

/** What the log says of a request: no header, no body, and no query, where somebody may have put a token. */
function describeRequest(request: FastifyRequest) {
  return { method: request.method, path: request.url?.split('?')[0], ip: request.ip }
}

/** Requests that arrive on a connection kept alive, after the process was told to stop. */
function refuseWhileStopping(app: FastifyInstance): void {
  let stopping = false
  app.addHook('preClose', async () => {
    stopping = true
  })
  app.addHook('onRequest', async () => {
    if (stopping) throw new PawlError('SHUTTING_DOWN')
  })
}

/** Run the server until a signal stops it. Resolves once it listens; ends the process with 1 where it cannot start. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  let app: FastifyInstance | undefined
  try {
    const config = loadConfig(env)
    app = await buildServer(config)
    const server = app
    closeWithGrace({ delay: STOP_LIMIT, logger: server.log }, async ({ err, signal }) => {
      if (err)
        server.log.fatal({ error: { message: err.message, stack: err.stack } }, 'stopping after an error')
      else server.log.info({ signal }, 'stopping')
      await server.close()
    })
    const url = await server.listen({ host: config.host, port: config.port })
    if (!config.databaseUrl) process.stdout.write(welcome(url, config.dataDir))
  } catch (error) {
    process.stderr.write(`${describeFailure(error)}\n`)
    await app?.close()
    process.exit(1)
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  return `Pawl cannot start. ${error instanceof Error ? error.message : error}`
}

const entry = process.argv[1]
if (entry && realpathSync(entry) === fileURLToPath(import.meta.url)) await serve(process.env)
