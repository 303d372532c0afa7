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
import { errorText } from './common/error-text.ts'
import { packageVersion } from './common/package-info.ts'
import { type Config, ConfigError, loadConfig } from './config/config.ts'
import { PawlError } from './errors.ts'
import { addressIn, createProxyCheck } from './http/client-address.ts'
import { welcome } from './welcome.ts'

/** Bytes. The largest body that a route accepts has a tenth of this. */
const BODY_LIMIT = 65_536
/** Milliseconds within which a request must arrive completely. */
const REQUEST_LIMIT = 30_000
/** Milliseconds that requests in flight have to finish after a signal to stop. */
const STOP_LIMIT = 10_000
/** Milliseconds for the whole start: both stores may be waited for, or a database created. */
const START_LIMIT = 60_000

/** Returns the server as it runs in production. It does not listen yet. */
export async function buildServer(config: Config, clock?: () => number): Promise<FastifyInstance> {
  const app = Fastify({
    logger: { level: config.logLevel, serializers: { req: describeRequest } },
    trustProxy: trustOf(config.trustProxy),
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
  handleNodeRefusals(app)
  await app.register(openapi, { version: packageVersion(), issuer: config.issuer })
  await app.register(pawl, clock ? { config, clock } : { config })
  if (config.playground) {
    // The page consists of many files, so its requests are logged only at level `debug`.
    const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel
    await app.register(playground, { grace: config.grace, signup: config.signup, logLevel })
  }
  return app
}

/** The check of Fastify itself does not recognize a proxy whose address is followed by a port. */
function trustOf(proxies: boolean | string[]): boolean | ((address: string) => boolean) {
  return typeof proxies === 'boolean' ? proxies : createProxyCheck(proxies)
}

/**
 * Returns the log fields of a request: no header, no body, and no part of its target in which a
 * client may have put a token.
 */
function describeRequest(request: FastifyRequest) {
  return { method: request.method, path: pathOf(request.url ?? ''), ip: addressIn(request.ip) }
}

/**
 * Returns the path without query, fragment and parameters, and without the user of an absolute URL.
 * A dash replaces each segment that is longer than any name or id.
 */
function pathOf(target: string): string {
  const [path = ''] = target.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#;]/)
  return path.replaceAll(/[^/]{41,}/g, '-').slice(0, 200)
}

/** While the server stops, it refuses new requests, and closes connections after each response. */
function refuseWhileStopping(app: FastifyInstance): void {
  let isStopping = false
  app.addHook('preClose', async () => {
    isStopping = true
  })
  app.addHook('onRequest', (_request, _reply, done) => {
    done(isStopping ? new PawlError('SHUTTING_DOWN') : undefined)
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isStopping) reply.header('connection', 'close')
    done()
  })
}

/** Handles what Node would refuse without a problem document, or by closing the connection. */
function handleNodeRefusals(app: FastifyInstance): void {
  // RFC 9112 3.2. The check of Node is off: see `requireHostHeader`.
  app.addHook('onRequest', ({ headers, raw }, _reply, done) => {
    const isMissing = headers.host === undefined && raw.httpVersion === '1.1'
    done(
      isMissing
        ? new PawlError('BAD_REQUEST', { detail: 'The Host header is missing.' })
        : undefined,
    )
  })
  app.server.on('connect', (_request, socket: Socket) => {
    // Node no longer handles the errors of this socket, and one without a handler ends the process.
    socket.on('error', () => socket.destroy())
    renderClientError(new Error('CONNECT'), socket)
  })
  // A server may ignore an expectation that it does not know (RFC 9110 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
}

/**
 * Runs the server until a signal stops it. Resolves when the server listens. Ends the process with
 * code 1 if it cannot start.
 */
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
  return `Pawl cannot start. ${errorText(error)}`
}

const entry = process.argv[1]
if (entry && realpathSync(entry) === fileURLToPath(import.meta.url)) await serve(process.env)
