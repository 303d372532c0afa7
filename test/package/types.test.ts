import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { type Consumer, installPackage } from '../support/packed-package.ts'
import { ROOT } from '../support/services/sources.ts'
import { fileNameOf, readSnippets } from '../support/snippets.ts'

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

/** What the public declarations may name, besides each other. */
const PUBLIC_PACKAGES = ['fastify', 'http', 'react']

const STRICT = {
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable'],
  types: ['node'],
  jsx: 'react-jsx',
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  skipLibCheck: false,
  noEmit: true,
}

/** What a host may use, as a CommonJS module can write it: without an await at the top. */
const COMMONJS = `
import Fastify, { type FastifyInstance } from 'fastify'
import { authenticate, authOf, loadConfig, pawl, type PawlOptions } from 'pawl'
import { createTestAuth } from 'pawl/testing'
export async function build(options?: PawlOptions): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(pawl, options ?? { config: loadConfig(process.env) })
  app.get('/me', { preHandler: authenticate }, async (request) => authOf(request).userId)
  app.get('/us', { preHandler: app.authorize({ roles: ['us'] }) }, async () => createTestAuth().tokenFor())
  return app
}
`

/** For \`node16\`, which knows no \`require\` of an ES module. */
const DYNAMIC = `
import type { FastifyInstance } from 'fastify' with { 'resolution-mode': 'import' }
export async function build(app: FastifyInstance): Promise<void> {
  const { authenticate, authOf, loadConfig, pawl } = await import('pawl')
  await app.register(pawl, { config: loadConfig(process.env) })
  app.get('/me', { preHandler: authenticate }, async (request) => authOf(request).userId)
}
`

let consumer: Consumer
before(async () => {
  consumer = await installPackage()
})
after(() => consumer?.remove())

/** Compiles files in a project of their own. Returns what the compiler printed. */
async function compile(
  name: string,
  files: Readonly<Record<string, string>>,
  { type = 'module', ...options }: { type?: string; module: string; moduleResolution?: string },
): Promise<string> {
  const folder = join(consumer.folder, name)
  await mkdir(folder)
  const compilerOptions = { ...STRICT, ...options }
  await Promise.all([
    writeFile(join(folder, 'package.json'), JSON.stringify({ type })),
    writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: Object.keys(files) }),
    ),
    ...Object.entries(files).map(([file, code]) => writeFile(join(folder, file), code)),
  ])
  return consumer.run(TSC, '-p', folder).output
}

async function snippets(): Promise<Record<string, string>> {
  const found = await readSnippets()
  return Object.fromEntries(
    found.map((snippet) => [fileNameOf(snippet), `${snippet.code}\nexport {}\n`]),
  )
}

/** Returns the declaration files that are reachable from an export, and the packages they name. */
async function walk(
  file: string,
  seen = new Map<string, string>(),
): Promise<{ files: Map<string, string>; packages: Set<string> }> {
  const packages = new Set<string>()
  if (seen.has(file)) return { files: seen, packages }
  const text = await readFile(file, 'utf8')
  seen.set(file, text)
  const names = text.matchAll(/(?:\bfrom |\bimport\(|^import |^declare module )['"]([^'"]+)['"]/gm)
  for (const [, name = ''] of names) {
    if (!name.startsWith('.')) {
      packages.add(name)
      continue
    }
    const target = resolve(dirname(file), name.replace(/\.[jt]s$/, '.d.ts'))
    for (const found of (await walk(target, seen)).packages) packages.add(found)
  }
  return { files: seen, packages }
}

const readManifest = async () =>
  JSON.parse(await readFile(join(consumer.installed, 'package.json'), 'utf8'))

async function declarations() {
  const manifest = await readManifest()
  const files = new Map<string, string>()
  const packages = new Set<string>()
  for (const { types } of Object.values<{ types?: string }>(manifest.exports)) {
    if (!types) continue
    const found = await walk(join(consumer.installed, types), files)
    for (const name of found.packages) packages.add(name)
  }
  return { files, packages }
}

test('the package uses the Fastify of the host, of any 5.x, and brings none', async () => {
  const { dependencies, devDependencies, peerDependencies } = await readManifest()
  assert.equal(peerDependencies.fastify, '^5.0.0')
  // npm would leave out a peer that is also a development dependency from `npm ci --omit=dev`.
  assert.deepEqual([dependencies.fastify, devDependencies.fastify], [undefined, undefined])
})

test('the public declarations name no package but Fastify and React', async () => {
  const { files, packages } = await declarations()
  assert.ok(files.size > 10)
  assert.deepEqual(
    [...packages].filter((name) => !PUBLIC_PACKAGES.includes(name)),
    [],
  )
})

test('the public declarations add to Fastify what a host gets, and nothing else', async () => {
  const { files } = await declarations()
  const added = [...files.values()].flatMap((text) =>
    [...text.matchAll(/^declare module 'fastify' \{\n([\s\S]*?)^\}/gm)].flatMap(([, body = '']) =>
      [...body.matchAll(/^ {8}(\[?\w+\]?)\??[:(]/gm)].map(([, name]) => name ?? ''),
    ),
  )
  assert.deepEqual(added.sort(), ['[GUARDS]', 'auth', 'authenticate', 'authorize', 'pawl'])
})

for (const [module, moduleResolution] of [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const)
  test(`the snippets of README and guides compile with the package: ${module}`, async () => {
    const files = await snippets()
    assert.ok(Object.keys(files).length > 5)
    assert.equal(await compile(`esm-${module}`, files, { module, moduleResolution }), '')
  })

for (const module of ['node20', 'nodenext'])
  test(`a CommonJS module compiles with the package: ${module}`, async () => {
    const options = { type: 'commonjs', module }
    assert.equal(await compile(`cjs-${module}`, { 'app.ts': COMMONJS }, options), '')
  })

test('a CommonJS module can require the package', () => {
  const code = "console.log(typeof require('pawl').pawl, typeof require('pawl/testing'))"
  const { status, output } = consumer.run('--no-warnings', '-e', code)
  assert.equal(status, 0, output)
  assert.match(output, /^function object$/m)
})

test('a CommonJS module under node16 compiles with a dynamic import', async () => {
  const options = { type: 'commonjs', module: 'node16' }
  assert.equal(await compile('cjs-node16', { 'app.ts': DYNAMIC }, options), '')
})

test('a decorator that exists only inside Pawl is not known to the host', async () => {
  const code = `import Fastify from 'fastify'
import { pawl } from 'pawl'
const app = Fastify()
void app.register(pawl, { config: {} as never })
void app.tokens
app.get('/', async (request) => request.requireAuth())
`
  const output = await compile('inner', { 'app.ts': code }, { module: 'nodenext' })
  for (const name of ['tokens', 'requireAuth'])
    assert.match(output, new RegExp(`Property '${name}' does not exist`))
})
