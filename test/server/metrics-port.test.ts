import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { cleanUp } from '../support/clean-up.ts'
import { problemsOf } from '../support/config.ts'
import { buildHost } from '../support/embedded-host.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { spawnServer, startServer } from '../support/server-process.ts'

const METRICS_URL = /Metrics are served at (http:[^"]+)/

test('the server publishes its metrics only where METRICS says, and not by default', async (t) => {
  const { METRICS: _, ...env } = await environment(t)
  for (const [value, status] of Object.entries({ '': 404, off: 404, on: 200 })) {
    const app = await build(t, { ...env, METRICS: value })
    const response = await app.inject('/metrics')
    assert.equal(response.statusCode, status, value)
  }
})

test('with a port of their own, the metrics are on that port and nothing else is', async (t) => {
  const server = await startServer(t, await environment(t, { METRICS: '0' }))
  const [, url = ''] = METRICS_URL.exec(server.output()) ?? []
  const response = await fetch(url)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.match(await response.text(), /^pawl_events_waiting \d/m)

  assert.equal((await fetch(`${server.url}/metrics`)).status, 404)
  assert.equal((await fetch(`${server.url}/health/live`)).status, 200)
  for (const path of ['/health/live', '/auth/me', '/openapi.json', '/', '/metrics/']) {
    const other = await fetch(new URL(path, url))
    assert.equal(other.status, 404, path)
    assert.match(await other.text(), /"code":"NOT_FOUND"/)
  }

  server.child.kill('SIGTERM')
  assert.equal(await server.ended, 0)
})

test('a server does not start if the port of its metrics is in use', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  cleanUp(t, async () => other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  const server = spawnServer(t, await environment(t, { METRICS: String(port) }))
  assert.equal(await server.ended, 1)
  assert.match(server.output(), /Pawl cannot start\. .*EADDRINUSE/)
  assert.ok(!server.output().includes('Server listening'))
})

test('METRICS is a word or a port that is not PORT', () => {
  for (const right of ['on', 'off', '0', '9464', '65535'])
    assert.deepEqual(problemsOf({ METRICS: right }), [], right)
  assert.deepEqual(problemsOf({ METRICS: '0', PORT: '0' }), [])
  for (const wrong of ['true', 'ON', '65536', '-1', '9464 ', '9e3', 'localhost:9464'])
    assert.deepEqual(problemsOf({ METRICS: wrong }), [
      'METRICS must be on, off, or a port from 0 to 65535',
    ])
  assert.deepEqual(problemsOf({ METRICS: '3000' }), ['METRICS must not be the same port as PORT'])
})

test('with OPENAPI=off there is no OpenAPI document', async (t) => {
  const env = await environment(t)
  assert.equal((await (await build(t, env)).inject('/openapi.json')).statusCode, 200)
  const app = await build(t, { ...env, OPENAPI: 'off' })
  assert.equal((await app.inject('/openapi.json')).statusCode, 404)
  assert.equal((await app.inject('/health/live')).statusCode, 200)
})

test('in an application METRICS opens no port, and the routes are the choice of the application', async (t) => {
  const { host } = await buildHost(t, { overrides: { METRICS: '1' } })
  assert.match((await host.inject('/metrics')).body, /^# HELP/)
  const { host: other } = await buildHost(t, { routes: { metrics: false } })
  assert.equal((await other.inject('/metrics')).statusCode, 404)
  assert.match(await other.pawl.metrics(), /^# HELP/)
})
