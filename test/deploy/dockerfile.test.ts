import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import {
  all,
  execForm,
  gitIgnorePatterns,
  ignorePatterns,
  isIgnored,
  operands,
  readDockerfile,
} from '../support/deploy/dockerfile.ts'

const stages = readDockerfile()
const image = stages.at(-1)

test('The image runs as an unprivileged user', () => {
  assert.equal(all(image, 'USER').at(-1)?.text, 'node')
})

test('The process starts without a shell, so that SIGTERM reaches it', () => {
  const [command, ...others] = all(image, 'CMD')
  assert.deepEqual(execForm(command), ['node', 'dist/src/server.js'])
  assert.deepEqual(others, [])
})

test('The health check needs only node', () => {
  const [check, ...others] = all(image, 'HEALTHCHECK')
  assert.equal(execForm(check)[0], 'node')
  assert.deepEqual(others, [])
})

test('All stages use one base image, so that files built in one run in another', () => {
  assert.deepEqual([...new Set(stages.map((stage) => stage.base))], ['node:24-bookworm-slim'])
})

test('Every file that the build copies exists and is part of its context', () => {
  const copies = stages.flatMap((stage) => all(stage, 'COPY')).filter((copy) => !copy.flags.from)
  const sources = copies.flatMap((copy) => operands(copy).sources)
  assert.ok(sources.length > 0)
  for (const source of sources) {
    assert.ok(existsSync(new URL(`../../${source}`, import.meta.url)), source)
    assert.ok(!isIgnored(source), source)
  }
})

test('Files that git ignores, above all the secrets, are not part of the build', () => {
  const expected = gitIgnorePatterns().map((pattern) => `**/${pattern.replace(/\/$/, '')}`)
  assert.deepEqual(
    expected.filter((pattern) => !ignorePatterns().includes(pattern)),
    [],
  )
  for (const path of [
    '.env',
    '.env.production',
    '.pawl/secrets.json',
    'node_modules/fastify/package.json',
  ]) {
    assert.ok(isIgnored(path), path)
  }
})
