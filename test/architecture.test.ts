import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Fastify, and what is made of it: all that only plugins, routes and the three entrances may know. */
const HTTP = /^(fastify|fastify-plugin|@fastify\/.+)$/
const ENTRANCES = ['src/index.ts', 'src/app.ts', 'src/server.ts', 'src/cli.ts']
const READERS_OF_THE_ENVIRONMENT = ['src/server.ts', 'src/cli.ts']

interface Source {
  file: string
  text: string
  imports: string[]
}

function sources(folder: string): Source[] {
  const found = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return found
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join(folder, name).replaceAll('\\', '/')
      const text = readFileSync(join(ROOT, file), 'utf8')
      const specifiers = text.matchAll(
        /(?:^import\s|^export\s[^=]*\sfrom\s|\bfrom\s|import\()\s*'([^']+)'/gm,
      )
      return {
        file,
        text,
        imports: [...specifiers].map(([, name = '']) => resolveImport(file, name)),
      }
    })
}

function resolveImport(file: string, name: string): string {
  return name.startsWith('.')
    ? relative(ROOT, join(ROOT, dirname(file), name)).replaceAll('\\', '/')
    : name
}

function violations(
  found: Source[],
  isAllowed: (name: string, source: Source) => boolean,
): string[] {
  return found.flatMap((source) =>
    source.imports
      .filter((name) => !isAllowed(name, source))
      .map((name) => `${source.file} imports ${name}`),
  )
}

const isLocal = (name: string) => name.endsWith('.ts')

test('the sources that the rules are about are found', () => {
  for (const folder of ['src', 'plugins', 'routes']) assert.ok(sources(folder).length > 5, folder)
  assert.ok(sources('routes').every(({ imports }) => imports.length > 0))
})

test('the domain knows neither Fastify nor the folders outside', () => {
  const domain = sources('src').filter(({ file }) => !ENTRANCES.includes(file))
  const allowed = (name: string) => !HTTP.test(name) && (!isLocal(name) || name.startsWith('src/'))
  assert.deepEqual(violations(domain, allowed), [])
})

test('the domain does not import its own entrances', () => {
  const domain = sources('src').filter(({ file }) => !ENTRANCES.includes(file))
  assert.deepEqual(
    violations(domain, (name) => !ENTRANCES.includes(name)),
    [],
  )
})

test('what runs in browsers imports nothing else, and nothing else imports it', () => {
  const client = sources('src/client')
  assert.ok(client.length > 1)
  assert.deepEqual(
    violations(client, (name) => name.startsWith('src/client/')),
    [],
  )
  const others = ['src', 'plugins', 'routes']
    .flatMap(sources)
    .filter(({ file }) => !file.startsWith('src/client/'))
  assert.deepEqual(
    violations(others, (name) => !name.startsWith('src/client/')),
    [],
  )
})

test('plugins import the domain, never routes or each other', () => {
  assert.deepEqual(
    violations(sources('plugins'), (name) => !isLocal(name) || name.startsWith('src/')),
    [],
  )
})

test('routes import schemas and errors, and find the rest on their instance', () => {
  const allowed = (name: string) =>
    !isLocal(name) || /^(src\/schemas\/|src\/errors\.ts|routes\/)/.test(name)
  const direct = (name: string) =>
    !/^(ioredis|postgres|drizzle-orm|argon2|@fastify\/(jwt|redis))/.test(name)
  assert.deepEqual(
    violations(sources('routes'), (name) => allowed(name) && direct(name)),
    [],
  )
})

test('the environment is read in two places', () => {
  const all = ['src', 'plugins', 'routes'].flatMap(sources)
  const readers = all.filter(({ text }) =>
    /process\.env\b(?!\))/.test(text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')),
  )
  assert.deepEqual(
    readers.map(({ file }) => file).filter((file) => !READERS_OF_THE_ENVIRONMENT.includes(file)),
    [],
  )
})

test('the domain is told the time, by one file that asks for it', () => {
  const domain = sources('src').filter(({ file }) => !ENTRANCES.includes(file))
  assert.deepEqual(
    domain.filter(({ text }) => text.includes('Date.now()')).map(({ file }) => file),
    ['src/common/clocks.ts'],
  )
})

test('no source file has outgrown one purpose', () => {
  const long = ['src', 'plugins', 'routes']
    .flatMap(sources)
    .filter(({ text }) => text.split('\n').length > 220)
  assert.deepEqual(
    long.map(({ file }) => file),
    [],
  )
})
