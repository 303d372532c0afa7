import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Env, environment, required } from '../environment.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { ROOT } from '../services/sources.ts'

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

export interface Example {
  /** Why the example could not be installed. Empty if it was. */
  missing: string
  /** Defines a test, which is skipped if the example is missing. */
  test(name: string, body: (t: TestContext) => Promise<void>): void
  /** Starts the example as a process of its own. */
  start(t: TestContext, env: Env): Promise<ServerProcess>
  /** Starts the example at the address that it names itself by, for a real browser. */
  startAtIssuer(t: TestContext): Promise<ServerProcess>
  /** Defines the test that compiles the example against the types of the packed package. */
  testTypes(): void
}

/**
 * Returns an application of `examples/`, which the test runner has installed. Throws if it could
 * not be installed in CI.
 *
 * @param entry The module of the server, in the folder of the example.
 */
export function findExample(name: string, entry: string): Example {
  const missing: string = JSON.parse(required('TEST_EXAMPLES_MISSING'))[name] ?? 'not installed'
  if (missing && process.env.CI) throw new Error(missing)
  const folder = join(ROOT, 'examples', name)
  const skip = missing || false
  const start = (t: TestContext, env: Env) =>
    startServer(t, env, ['--import', 'tsx', join(folder, entry)])

  async function startAtIssuer(t: TestContext): Promise<ServerProcess> {
    for (;;) {
      const port = String(20_000 + Math.floor(Math.random() * 10_000))
      const env = await environment(t, { PORT: port, ISSUER: `http://127.0.0.1:${port}` })
      try {
        return await start(t, env)
      } catch (error) {
        if (!String(error).includes('EADDRINUSE')) throw error
      }
    }
  }

  return {
    missing,
    test: (title, body) => void test(title, { skip }, body),
    start,
    startAtIssuer,
    testTypes: () =>
      void test(`examples/${name} compiles against the types of the packed package`, {
        skip,
      }, () => {
        const options = { encoding: 'utf8' } as const
        const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', folder], options)
        assert.equal(status, 0, stdout)
      }),
  }
}
