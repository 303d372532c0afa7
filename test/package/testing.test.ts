import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp } from '../support/clean-up.ts'
import { installPackage } from '../support/packed-package.ts'
import { ROOT } from '../support/services/sources.ts'
import { readSnippets } from '../support/snippets.ts'

/** What takes long to load, and nothing here needs. */
const HEAVY = ['@electric-sql', 'argon2', 'drizzle-orm', 'ioredis', 'postgres', 'prom-client']

test('pawl/testing loads no store and no password hasher', async (t) => {
  const consumer = await installPackage()
  cleanUp(t, consumer.remove)
  for (const name of HEAVY) await rm(join(consumer.folder, 'node_modules', name))
  const code = `import('pawl/testing').then((it) => console.log(it.createTestAuth().tokenFor()))`
  const { status, output } = consumer.run('-e', code)
  assert.equal(status, 0, output)
})

test('the tests in the guide pass with the packed package', async (t) => {
  const consumer = await installPackage()
  cleanUp(t, consumer.remove)
  const guide = (await readSnippets()).filter(({ place }) => place.includes('guides/testing.md'))
  assert.equal(guide.length, 1)
  await writeFile(join(consumer.folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(consumer.folder, 'routes.test.ts'), guide[0]?.code ?? '')
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node']
  const compiled = consumer.run(tsc, '--ignoreConfig', 'routes.test.ts', ...options)
  assert.equal(compiled.output, '')
  // As a script: the reporter of a test runner inside another one is not for people.
  const { status, output } = consumer.run('routes.test.js')
  assert.equal(status, 0, output)
  assert.match(output, /pass 2/)
})
