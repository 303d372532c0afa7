import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cleanUp } from '../clean-up.ts'
import { build } from '../in-process-server.ts'
import { temporaryFolder } from '../temporary-files.ts'

/** `*.localhost` is this machine to a browser, and one site of several hosts. */
export const PARENT = 'example.localhost'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Starts the production server over TLS. It responds under every name below `PARENT`; its own name
 * is the one in `url`. Requests for `/host/…` are responded to by `host`, as by another service
 * behind the same name. Browsers need `ignoreHTTPSErrors`.
 */
export async function serveSecurely(
  t: TestContext,
  host: Handler,
): Promise<{ url: string; sibling: string }> {
  let handle: Handler = (_request, response) => void response.end()
  const server = createServer(await certificateFor(t), (request, response) =>
    request.url?.startsWith('/host/') ? host(request, response) : handle(request, response),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, async () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `https://auth.${PARENT}:${port}`
  const app = await build(t, { ISSUER: url })
  handle = app.routing
  return { url, sibling: `https://evil.${PARENT}:${port}` }
}

async function certificateFor(t: TestContext): Promise<{ key: Buffer; cert: Buffer }> {
  const folder = await temporaryFolder(t)
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const command = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj'
  const made = spawnSync('openssl', [
    ...command.split(' '),
    `/CN=${PARENT}`,
    '-keyout',
    key,
    '-out',
    cert,
  ])
  if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.stderr}`)
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
