import { randomUUID } from 'node:crypto'
import { realpathSync } from 'node:fs'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { renderClientError } from '../plugins/client-error.ts'
import { openapi } from '../plugins/openapi.ts'
import { playground } from '../plugins/playground.ts'
import { renderError, renderNotFound } from '../plugins/problem-details.ts'
import { pawl } from './app.ts'
import { packageVersion } from './common/package-info.ts'
import { type Config, ConfigError, loadConfig } from './config/config.ts'
import { PawlError } from './errors.ts'
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
    http: { requireHostHeader: false },
  })
  app.setErrorHandler(renderError)
  app.setNotFoundHandler(renderNotFound)
  refuseWhileStopping(app)
  answerForNode(app)
  await app.register(openapi, { version: packageVersion(), issuer: config.issuer })
  await app.register(pawl, clock ? { config, clock } : { config })
  if (config.playground) {
    // The page is many files, and that they were fetched is nobody's business who did not ask for more.
    const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel
    await app.register(playground, { grace: config.grace, signup: config.signup, logLevel })
  }
  return app
}

/** What the log says of a request: no header, no body, and nothing of its target that somebody may have put a token in. */
function describeRequest(request: FastifyRequest) {
  return { method: request.method, path: pathOf(request.url ?? ''), ip: request.ip?.slice(0, 64) }
}

/** Neither query nor fragment, nor the user of an absolute URL; in place of what is longer than any name or id, a dash. */
function pathOf(target: string): string {
  const [path = ''] = target.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#;]/)
  return path.replaceAll(/[^/]{41,}/g, '-').slice(0, 200)
}

/** After the process was told to stop: no new request is begun, and no connection outlives the request that it is on. */
function refuseWhileStopping(app: FastifyInstance): void {
  let stopping = false
  app.addHook('preClose', async () => {
    stopping = true
  })
  app.addHook('onRequest', (_request, _reply, done) => {
    done(stopping ? new PawlError('SHUTTING_DOWN') : undefined)
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping) reply.header('connection', 'close')
    done()
  })
}

/** What Node would refuse by itself: without a problem document, or by hanging up. */
function answerForNode(app: FastifyInstance): void {
  // RFC 9112 3.2. Switched off in Node above.
  app.addHook('onRequest', ({ headers, raw }, _reply, done) => {
    const isMissing = headers.host === undefined && raw.httpVersion === '1.1'
    done(
      isMissing
        ? new PawlError('BAD_REQUEST', { detail: 'The Host header is missing.' })
        : undefined,
    )
  })
  app.server.on('connect', (_request, socket: Socket) => {
    // Node has let go of the socket: an error that nobody hears would end the process.
    socket.on('error', () => socket.destroy())
    renderClientError(new Error('CONNECT'), socket)
  })
  // An expectation that nobody knows may be ignored (RFC 9110 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
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
        server.log.fatal(
          { error: { message: err.message, stack: err.stack } },
          'stopping after an error',
        )
      else server.log.info({ signal }, 'stopping')
      await server.close()
    })
    const url = await server.listen({ host: config.host, port: config.port })
    if (!config.databaseUrl) process.stdout.write(welcome(url, config))
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
