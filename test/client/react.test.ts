import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createElement, StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import { createClient } from '../../src/client/index.ts'
import { PawlProvider, useClient, useSession } from '../../src/client/react/index.ts'
import { sessionStateOf } from '../../src/client/react/session-state.ts'
import { cleanUp } from '../support/clean-up.ts'
import { EXPIRY, startWorld } from '../support/client/client-world.ts'
import { until } from '../support/until.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('a server renders the loading state and starts nothing', async () => {
  const client = createClient({ baseUrl: '/' })
  const Page = () => createElement('p', null, `${useSession().status} ${useClient() === client}`)
  const page = createElement(PawlProvider, { client }, createElement(Page))
  assert.equal(renderToString(createElement(StrictMode, null, page)), '<p>loading true</p>')
})

test('a hook without a provider says what is missing', () => {
  const Page = () => createElement('p', null, useSession().status)
  assert.throws(() => renderToString(createElement(Page)), /no PawlProvider/)
})

test('the state follows the client, and never shows a session that has ended', async (t) => {
  const { open, credentials, app, pass } = await startWorld(t)
  const first = open()
  await first.login(credentials)
  const authorization = `Bearer ${await first.token()}`

  const live = sessionStateOf(open().client)
  const seen: string[] = []
  const stop = live.subscribe(() => seen.push(live.get().status))
  assert.equal(live.get().status, 'loading')
  await until(() => live.get().status !== 'loading')
  stop()
  // Strict mode and a change of the page subscribe again. Then nothing is loaded again.
  live.subscribe(() => {})
  assert.deepEqual(seen, ['signed-in'])
  assert.equal(live.get(), live.get())

  pass(EXPIRY)
  await app.inject({ method: 'POST', url: '/auth/logout', headers: { authorization } })
  const { client } = open()
  const ended = sessionStateOf(client)
  const statuses: string[] = []
  ended.subscribe(() => statuses.push(ended.get().status))
  await until(() => statuses.length > 0)
  assert.deepEqual(statuses, ['signed-out'])
  await until(() => live.get().status === 'signed-out')
  assert.deepEqual(live.get(), {
    status: 'signed-out',
    sessionId: undefined,
    reason: 'ended',
    elsewhere: true,
  })
  await first.login(credentials)
  await until(() => live.get().status === 'signed-in' && ended.get().status === 'signed-in')
})

test('the types compile without skipLibCheck', async (t) => {
  const folder = await mkdtemp(join(ROOT, '.types-'))
  cleanUp(t, () => rm(folder, { recursive: true, force: true }))
  const compile = async (name: string, compilerOptions: object, files: string[]) => {
    const config = join(folder, name)
    await writeFile(config, JSON.stringify({ compilerOptions, files }))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', config]).catch(
      (error) => error,
    )
    assert.equal(stdout, '')
  }
  const common = { strict: true, module: 'nodenext', target: 'es2022' }
  const entries = ['index.ts', 'storage-locks.ts', 'account/index.ts', 'react/index.ts']
  await compile(
    'build.json',
    {
      ...common,
      lib: ['es2023'],
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
      skipLibCheck: true,
      declaration: true,
      emitDeclarationOnly: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(ROOT, 'src/client'),
      outDir: join(folder, 'dist'),
    },
    entries.map((entry) => join(ROOT, 'src/client', entry)),
  )
  await writeFile(
    join(folder, 'app.ts'),
    `import { createClient } from './dist/index.js'
import { createAccount, takeMailLink } from './dist/account/index.js'
import { useSession } from './dist/react/index.js'
import { createStorageLocks } from './dist/storage-locks.js'
export const auth = createClient({ baseUrl: '/', storage: sessionStorage })
export const account = createAccount(auth, { baseUrl: '/', storage: sessionStorage })
export const link = takeMailLink(window) ?? takeMailLink()
export const locks = createStorageLocks(localStorage)
export const useUser = () => useSession().status
`,
  )
  const forApp = { ...common, types: [], skipLibCheck: false, noEmit: true }
  await compile('app.json', { ...forApp, lib: ['es2022', 'dom'] }, ['app.ts'])
})
