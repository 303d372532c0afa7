import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Packages that are about HTTP. Only plugins, routes, src/http and the entrances may import them. */
const HTTP_PACKAGES = /^(fastify|fastify-plugin|@fastify\/.+|helmet|cookie|node:https?)$/
const ENTRANCES = ['src/index.ts', 'src/app.ts', 'src/server.ts', 'src/cli.ts']
/** Folders of the domain's side that know Fastify. */
const FASTIFY_FOLDERS = /^src\/(http|testing)\//
const READERS_OF_THE_ENVIRONMENT = ['src/server.ts', 'src/cli.ts']
/** Folders of code that runs elsewhere: they import nothing else, and nothing else imports them. */
const ISLANDS = ['src/client/', 'src/verify/']
const LONGEST_FILE = 220
const LONGEST_LINE = 100

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
const all = ['src', 'plugins', 'routes'].flatMap(sources)
const domain = all.filter(
  ({ file }) => file.startsWith('src/') && !ENTRANCES.includes(file) && !FASTIFY_FOLDERS.test(file),
)

/** Returns the import cycles: for each set of files that reach each other, its names. */
function findCycles(found: Source[]): string[][] {
  const imports = new Map(found.map((source) => [source.file, source.imports.filter(isLocal)]))
  const reachable = new Map<string, Set<string>>()
  for (const file of imports.keys()) {
    const seen = new Set<string>()
    const open = [...(imports.get(file) ?? [])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      open.push(...(imports.get(next) ?? []))
    }
    reachable.set(file, seen)
  }
  const isCyclic = (file: string) => reachable.get(file)?.has(file)
  return [...imports.keys()].filter(isCyclic).map((file) => {
    const others = [...(reachable.get(file) ?? [])].filter((other) =>
      reachable.get(other)?.has(file),
    )
    return others.sort()
  })
}

/** Returns the schemas that the routes name as the bodies of their successful responses. */
function responseSchemas(): Set<string> {
  const bodies = sources('routes').flatMap(({ text }) => [
    ...text.matchAll(/response: \{([^}]*?)(?:\.\.\.|\})/g),
  ])
  return new Set(
    bodies.flatMap(([, body = '']) =>
      [...body.matchAll(/\d{3}: (\w+)/g)].map(([, name]) => name ?? ''),
    ),
  )
}

test('the sources that the rules are about are found', () => {
  for (const folder of ['src', 'plugins', 'routes']) assert.ok(sources(folder).length > 5, folder)
  assert.ok(sources('routes').every(({ imports }) => imports.length > 0))
  assert.ok(domain.length > 100)
})

test('the domain imports neither HTTP packages nor the outer folders', () => {
  const isAllowed = (name: string) =>
    !HTTP_PACKAGES.test(name) && (!isLocal(name) || name.startsWith('src/'))
  assert.deepEqual(violations(domain, isAllowed), [])
})

test('the domain does not import its own entrances', () => {
  const isAllowed = (name: string, { file }: Source) =>
    !ENTRANCES.includes(name) || file.startsWith('src/cli/')
  assert.deepEqual(violations(domain, isAllowed), [])
})

test('the domain imports no schema of a response', () => {
  const responses = responseSchemas()
  assert.ok(responses.has('SessionList') && responses.size > 5, [...responses].join())
  const inside = domain.filter(({ file }) => !/^src\/(schemas|cli)\//.test(file))
  const found = inside.flatMap(({ file, text }) =>
    [...text.matchAll(/import (?:type )?\{([^}]*)\} from '[^']*schemas\/[^']*'/g)].flatMap(
      ([, names = '']) =>
        names
          .split(',')
          .map((name) => name.replace('type ', '').trim())
          .filter((name) => responses.has(name))
          .map((name) => `${file} imports ${name}`),
    ),
  )
  assert.deepEqual(found, [])
})

test('the islands import nothing else, and nothing else imports them', () => {
  const islandOf = (file: string) => ISLANDS.find((folder) => file.startsWith(folder))
  assert.ok(all.some(({ file }) => islandOf(file) === 'src/client/'))
  const isAllowed = (name: string, { file }: Source) =>
    islandOf(file) ? name.startsWith(islandOf(file) ?? '') : islandOf(name) === undefined
  const packages = /^(fast-jwt|fastify-plugin|fastify)$/
  assert.deepEqual(
    violations(
      all,
      (name, source) =>
        isAllowed(name, source) ||
        (source.file.startsWith('src/client/react/') && name === 'react') ||
        (islandOf(source.file) === 'src/verify/' && packages.test(name)) ||
        (!isLocal(name) && islandOf(source.file) === undefined),
    ),
    [],
  )
})

test('plugins import the domain, never routes or each other', () => {
  assert.deepEqual(
    violations(sources('plugins'), (name) => !isLocal(name) || name.startsWith('src/')),
    [],
  )
})

test('routes import schemas, errors and src/http, and find the rest on their instance', () => {
  const isAllowed = (name: string) =>
    !isLocal(name) || /^(src\/schemas\/|src\/errors\.ts|src\/http\/|routes\/)/.test(name)
  const isIndirect = (name: string) =>
    !/^(ioredis|postgres|drizzle-orm|argon2|@fastify\/(jwt|redis))/.test(name)
  assert.deepEqual(
    violations(sources('routes'), (name) => isAllowed(name) && isIndirect(name)),
    [],
  )
})

test('tokens import keys, and keys never import tokens', () => {
  const keys = sources('src/keys')
  assert.deepEqual(
    violations(keys, (name) => !name.startsWith('src/tokens/')),
    [],
  )
})

test('there is no import cycle, not even of types', () => {
  assert.deepEqual(findCycles(all), [])
})

test('the environment is read in two places', () => {
  const readers = all.filter(({ text }) =>
    /process\.env\b(?!\))/.test(text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')),
  )
  assert.deepEqual(
    readers.map(({ file }) => file).filter((file) => !READERS_OF_THE_ENVIRONMENT.includes(file)),
    [],
  )
})

test('the domain gets the time from one file', () => {
  assert.deepEqual(
    domain
      .filter(({ text }) => /(?<!platform\.)\bDate\.now\(\)/.test(text))
      .map(({ file }) => file),
    ['src/common/clocks.ts'],
  )
})

test('no source file has outgrown one purpose', () => {
  const long = all.filter(({ text }) => text.split('\n').length > LONGEST_FILE)
  assert.deepEqual(
    long.map(({ file }) => file),
    [],
  )
})

test('no line of code or of a comment is longer than 100 columns', () => {
  const lua = ['src/sessions/lua', 'src/revocation/lua', 'src/guesses/lua'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => {
      const file = `${folder}/${name}`
      return { file, text: readFileSync(join(ROOT, file), 'utf8') }
    }),
  )
  const isLong = (line: string) => line.length > LONGEST_LINE && !/https?:\/\//.test(line)
  const found = [...all, ...lua].flatMap(({ file, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (isLong(line) && !isLiteral(line) ? [`${file}:${index + 1}`] : [])),
  )
  assert.deepEqual(found, [])
})

/** The formatter does not break a string or a regular expression that is alone on its line. */
function isLiteral(line: string): boolean {
  return /^\s*(?:[\w$]+: |['"`/]|\?|:|return ).*['"`/][,;]?\)?$/.test(line)
}
