import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { examplesOf, installExamples } from './support/examples/install.ts'
import { findPostgres, findRedis } from './support/services/binaries.ts'
import { startPostgres } from './support/services/postgres.ts'
import { startRedis } from './support/services/redis.ts'
import { addSnapshot, prepareSources } from './support/services/sources.ts'
import { createTemplateDatabase } from './support/services/template.ts'

const HELP = `
Install the missing servers, so that redis-server, postgres and initdb are on PATH:

  Debian and Ubuntu: apt-get install redis-server postgresql
  macOS: brew install redis postgresql

Or use running servers. Their passwords are in .env:

  npm run --silent pawl -- secrets > .env && docker compose up -d postgres redis
  export TEST_REDIS_URL=redis://:<password>@127.0.0.1:6379
  export TEST_DATABASE_URL=postgres://pawl:<password>@127.0.0.1:5432/pawl
  npm test
`

const cleanups: (() => Promise<void>)[] = []
const interruption = new AbortController()
const interrupted = once(interruption.signal, 'abort').then(() => {
  throw new Error('Interrupted')
})
interrupted.catch(() => {})

/**
 * Lists every test file by name. Node 20 does not expand globs, and reports success for a folder
 * without .js files.
 */
async function testFiles(filters: string[]) {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const entries = await readdir(folder, { recursive: true })
  return entries
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .map((name) => relative(process.cwd(), folder + name))
    .sort()
}

/**
 * Checks for both servers before either is started, so that one message names everything missing.
 */
async function missingServers() {
  const { TEST_REDIS_URL, TEST_DATABASE_URL } = process.env
  const searches = await Promise.allSettled([
    TEST_REDIS_URL || findRedis(),
    TEST_DATABASE_URL || findPostgres(),
  ])
  return searches.flatMap((search, index) =>
    search.status === 'rejected'
      ? [`${index ? 'Postgres' : 'Redis'}: ${search.reason.message}`]
      : [],
  )
}

async function url(given: string | undefined, start: typeof startRedis) {
  if (given) return given
  const service = await start()
  cleanups.push(service.stop)
  return service.url
}

async function environment(files: string[]) {
  // The runner installs examples, because two test files that install one at once would conflict.
  const installing = installExamples(examplesOf(files), interruption.signal)
  const [TEST_REDIS_URL, TEST_DATABASE_URL] = await Promise.all([
    url(process.env.TEST_REDIS_URL, startRedis),
    url(process.env.TEST_DATABASE_URL, startPostgres),
  ])
  const template = await createTemplateDatabase(TEST_DATABASE_URL)
  cleanups.push(template.drop)
  // Compiled once, because some tests start hundreds of processes, which start twice as fast from
  // it.
  const sources = await prepareSources()
  cleanups.push(sources.remove)
  await addSnapshot(sources)
  return {
    ...process.env,
    TEST_DIST: sources.dist,
    TEST_EXAMPLES_MISSING: JSON.stringify(await installing),
    TEST_REDIS_URL,
    TEST_DATABASE_URL,
    TEST_DATABASE_TEMPLATE: template.name,
    TEST_RUNNER_PID: String(process.pid),
  }
}

function runTests(files: string[], env: NodeJS.ProcessEnv) {
  const orphan = new URL('./support/services/orphan.ts', import.meta.url).href
  const preloads = ['--import', 'tsx', '--import', orphan]
  const flags = ['--test', '--test-concurrency=2', '--test-timeout=240000', '--test-reporter=spec']
  return new Promise<number>((resolve, reject) => {
    const tests = spawn(process.execPath, [...preloads, ...flags, ...files], {
      stdio: 'inherit',
      env,
    })
    const stop = () => {
      tests.kill('SIGTERM')
      setTimeout(() => tests.kill('SIGKILL'), 5000).unref()
    }
    interruption.signal.addEventListener('abort', stop)
    tests.once('error', reject)
    tests.once('exit', (code) => resolve(interruption.signal.reason ?? code ?? 1))
  })
}

async function main() {
  const filters = process.argv.slice(2)
  const files = await testFiles(filters)
  if (files.length === 0)
    throw new Error(`No test file matches ${filters.join(' ') || 'test/**/*.test.ts'}`)
  // After an interruption, every download and every start in progress ends with this process.
  const missing = await Promise.race([missingServers(), interrupted])
  if (missing.length > 0)
    throw new Error(`The tests need a real server.\n${missing.join('\n')}\n${HELP}`)
  try {
    return await runTests(files, await Promise.race([environment(files), interrupted]))
  } finally {
    // In reverse order, so that the template is dropped while its server still runs.
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}

process.on('SIGINT', () => interruption.abort(130))
process.on('SIGTERM', () => interruption.abort(143))
// The command that started this process (tsx) may be killed alone. Nothing waits for this run then.
const parent = process.ppid
setInterval(() => process.ppid !== parent && interruption.abort(143), 500).unref()

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exit(interruption.signal.reason ?? 1)
  },
)
