import { randomUUID } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyInstance } from 'fastify'
import { renderClientError } from '../plugins/client-error.ts'
import { BODY_LIMIT } from '../plugins/json-body.ts'
import { openapi } from '../plugins/openapi.ts'
import { playground } from '../plugins/playground.ts'
import { renderError, renderFrameworkError, renderNotFound } from '../plugins/problem-details.ts'
import { pawl } from './app.ts'
import { errorText } from './common/error-text.ts'
import { packageVersion } from './common/package-info.ts'
import { type Config, ConfigError, loadConfig } from './config/config.ts'
import { createProxyCheck } from './http/client-address.ts'
import {
  describeRequest,
  handleNodeRefusals,
  nameUser,
  refuseWhileStopping,
  requireOneHost,
  setSecurityHeaders,
} from './http/front-door.ts'
import { addMetricsPort } from './http/metrics-port.ts'
import { createMailbox } from './mail/mailbox.ts'
import { welcome } from './welcome.ts'

/** Milliseconds between two looks for requests that are too slow. Node's default is 30 s. */
const SLOW_REQUEST_CHECK = 1_000
/** Milliseconds that requests in flight have to finish after a signal to stop. */
const STOP_LIMIT = 10_000
/** Milliseconds for the whole start: both stores may be waited for, or a database created. */
const START_LIMIT = 60_000

/** Returns the server as it runs in production. It does not listen yet. */
export async function buildServer(config: Config, clock?: () => number): Promise<FastifyInstance> {
  const app = createInstance(config)
  const { host, metrics, issuer } = config
  if (config.openapi) await app.register(openapi, { version: packageVersion(), issuer })
  const routes = { metrics: metrics === 'on' }
  const mailbox = needsMailbox(config) ? createMailbox(clock ?? Date.now) : undefined
  await app.register(pawl, {
    config,
    routes,
    ...(clock && { clock }),
    ...(mailbox && { mail: mailbox.deliver }),
  })
  if (typeof metrics === 'number') {
    const readMetrics = app.pawl.metrics
    addMetricsPort(app, createInstance(config), { host, port: metrics, readMetrics })
  }
  if (config.playground) {
    // The page consists of many files, so its requests are logged only at level `debug`.
    const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel
    const { grace } = config
    // The page has no form for a sign-up that ends in the mailbox.
    const signup = config.signup === true
    await app.register(playground, { grace, signup, mailbox, logLevel })
  }
  return app
}

/** The embedded default shows its mails in the playground if it has no mail server. */
function needsMailbox({ playground, databaseUrl, smtpUrl }: Config): boolean {
  return playground && !databaseUrl && !smtpUrl
}

/** Returns an instance with everything that protects the process from what clients send. */
function createInstance({ logLevel, trustProxy, requestTimeout }: Config): FastifyInstance {
  const app = Fastify({
    logger: {
      level: logLevel,
      serializers: { req: describeRequest },
      formatters: { log: nameUser },
    },
    trustProxy: trustOf(trustProxy),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_LIMIT,
    requestTimeout,
    return503OnClosing: false,
    pluginTimeout: START_LIMIT,
    clientErrorHandler: renderClientError,
    frameworkErrors: renderFrameworkError,
    http: {
      requireHostHeader: false,
      // If one of the two were left out, Node would apply its own default to a part of the request.
      headersTimeout: requestTimeout,
      requestTimeout,
      connectionsCheckingInterval: SLOW_REQUEST_CHECK,
    },
  })
  app.setErrorHandler(renderError)
  app.setNotFoundHandler(renderNotFound)
  setSecurityHeaders(app)
  refuseWhileStopping(app)
  requireOneHost(app)
  handleNodeRefusals(app, renderClientError)
  return app
}

/** The check of Fastify itself does not recognize a proxy whose address is followed by a port. */
function trustOf(proxies: boolean | string[]): boolean | ((address: string) => boolean) {
  return typeof proxies === 'boolean' ? proxies : createProxyCheck(proxies)
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
