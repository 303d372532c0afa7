import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, dirname, join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { readCompose } from '../support/deploy/compose-file.ts'
import {
  all,
  execForm,
  type Instruction,
  isIgnored,
  operands,
  readDockerfile,
  type Stage,
  variables,
} from '../support/deploy/dockerfile.ts'
import { type Env, environment } from '../support/environment.ts'
import { createFolder, type Leash, leash } from '../support/services/leash.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Returns an environment without the variables of the checkout and of npm's own run. It contains
 * only `env`, the PATH to node, and HOME.
 */
function cleared(env: Env = {}): NodeJS.ProcessEnv {
  const unset = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]))
  const { PATH = '', HOME = '' } = process.env
  const folders = PATH.split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return { ...unset, PATH: [dirname(process.execPath), ...folders].join(delimiter), HOME, ...env }
}

/**
 * Starts a process of the image. The process cannot outlive this test. If this process is killed,
 * the folder is removed too.
 */
function start(
  dir: string,
  workdir: string,
  command: string[],
  env: NodeJS.ProcessEnv,
): Promise<Leash> {
  return leash('sh', ['-c', 'cd "$0" && exec "$@"', workdir, ...command], { dir, env })
}

async function run(dir: string, workdir: string, command: string[], env: NodeJS.ProcessEnv) {
  const child = await start(dir, workdir, command, env)
  const code = await child.exited
  await child.stop({ keep: true })
  return { code, output: await child.log() }
}

interface Image {
  /** The test's own folder, which contains everything else. */
  dir: string
  /** The root of the image's files. */
  root: string
  /** The folder in which the image's commands run. */
  workdir: string
}

/**
 * Builds the image of the Dockerfile step by step, without Docker. The folder is removed when the
 * test ends.
 */
async function buildImage(t: TestContext, stages: Stage[]): Promise<Image> {
  const dir = await createFolder()
  cleanUp(t, () => rm(dir, { recursive: true, force: true }))
  const context = join(dir, 'context')
  const filter = (source: string) => !isIgnored(relative(CHECKOUT, source))
  await cp(CHECKOUT, context, { recursive: true, filter })

  const built = new Map<string | undefined, string>([[undefined, context]])
  let image = { dir, root: context, workdir: context }
  for (const [index, stage] of stages.entries()) {
    image = await buildStage(dir, join(dir, `${index}`), stage, built)
    built.set(stage.name ?? `${index}`, image.root)
  }
  return image
}

/**
 * Builds one stage. `built` maps the name of each stage to the root that COPY may take files from.
 * The name `undefined` is the build context.
 */
async function buildStage(
  dir: string,
  root: string,
  stage: Stage,
  built: Map<string | undefined, string>,
): Promise<Image> {
  let workdir = root
  for (const step of stage.instructions) {
    if (step.name === 'WORKDIR') {
      workdir = join(root, step.text)
      await mkdir(workdir, { recursive: true })
    }
    if (step.name === 'COPY') await copy(step, built.get(step.flags.from), workdir)
    if (step.name === 'RUN' && isPortable(step)) {
      const { code, output } = await run(dir, workdir, ['sh', '-c', step.text], cleared(QUIET))
      assert.equal(code, 0, `RUN ${step.text}\n${output}`)
    }
  }
  return { dir, root, workdir }
}

/** Keeps npm from leaving log files in the home folder and from sending requests of its own. */
const QUIET = {
  npm_config_logs_max: '0',
  npm_config_audit: 'false',
  npm_config_update_notifier: 'false',
}

/** Returns whether a RUN step can run here. The other steps prepare the system of the image. */
function isPortable(step: Instruction): boolean {
  return step.text.startsWith('npm ')
}

async function copy(step: Instruction, from: string | undefined, workdir: string): Promise<void> {
  assert.ok(from, `COPY from an earlier stage: ${step.text}`)
  const { sources, target } = operands(step)
  for (const source of sources) {
    // If the target is a folder, a file keeps its name in it. Docker copies the contents of a
    // folder, not the folder itself.
    const to = target.endsWith('/') && source !== '.' ? join(target, source) : target
    await cp(join(from, source), join(workdir, to), { recursive: true, verbatimSymlinks: true })
  }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  assert.ok(address && typeof address === 'object')
  return String(address.port)
}

const TIMEOUT = 300_000

test('The image builds, migrates, becomes healthy, serves requests and stops', {
  timeout: TIMEOUT,
}, async (t) => {
  const stages = readDockerfile()
  const { dir, root, workdir } = await buildImage(t, stages)
  const last = stages.at(-1)
  const port = await freePort()
  const data = join(dir, 'data')
  const own = await environment(t)
  const env = cleared({ ...own, ...variables(last), PORT: port, PAWL_DATA_DIR: data })
  const check = execForm(all(last, 'HEALTHCHECK')[0])
  const before = await readdir(root, { recursive: true })

  const migration = await run(
    dir,
    workdir,
    readCompose({ ...own, POSTGRES_PASSWORD: 'any', REDIS_PASSWORD: 'any' }).services.migrate
      ?.command ?? [],
    env,
  )
  assert.equal(migration.code, 0, migration.output)
  assert.equal(
    (await run(dir, workdir, check, env)).code,
    1,
    'the health check fails before the start',
  )

  const server = await start(dir, workdir, execForm(all(last, 'CMD')[0]), env)
  cleanUp(t, () => server.stop({ keep: true }))
  let ended = false
  server.exited.then(() => {
    ended = true
  })
  for (let poll = 0; (await run(dir, workdir, check, env)).code !== 0; poll++) {
    assert.ok(!ended && poll < 200, await server.log())
  }

  const url = `http://127.0.0.1:${port}`
  const signup = await fetch(`${url}/auth/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: newEmail(), password: PASSWORD }),
  })
  assert.equal(signup.status, 201)
  const { accessToken } = (await signup.json()) as { accessToken: string }
  const me = await fetch(`${url}/auth/me`, { headers: { authorization: `Bearer ${accessToken}` } })
  assert.equal(me.status, 200)

  server.kill('SIGTERM')
  assert.equal(await server.exited, 0, await server.log())
  assert.deepEqual(
    await readdir(root, { recursive: true }),
    before,
    'the image writes no files into its root',
  )
})
