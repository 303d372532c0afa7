import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ROOT } from '../support/services/sources.ts'
import { fileNameOf, readSnippets, type Snippet } from '../support/snippets.ts'

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

/** Compiles the snippets, each as a module of its own. Returns what the compiler printed. */
async function compile(snippets: readonly Snippet[]): Promise<string> {
  // Inside the checkout, so that the snippets are ES modules and find the packages they import.
  const folder = await mkdtemp(join(ROOT, '.snippets-'))
  try {
    await Promise.all(
      snippets.map((snippet) =>
        writeFile(join(folder, fileNameOf(snippet)), `${snippet.code}\nexport {}\n`),
      ),
    )
    const compilerOptions = {
      lib: ['es2023', 'dom', 'dom.iterable'],
      jsx: 'react-jsx',
      noUnusedLocals: false,
      noUnusedParameters: false,
      exactOptionalPropertyTypes: true,
      paths: {
        pawl: [join(ROOT, 'src/index.ts')],
        'pawl/testing': [join(ROOT, 'src/testing/index.ts')],
        'pawl/client': [join(ROOT, 'src/client/index.ts')],
        'pawl/client/account': [join(ROOT, 'src/client/account/index.ts')],
        'pawl/client/react': [join(ROOT, 'src/client/react/index.ts')],
      },
    }
    const config = {
      extends: '../tsconfig.json',
      compilerOptions,
      // The server declares what some plugins add to the types of Fastify.
      files: [...snippets.map(fileNameOf), '../src/server.ts'],
      include: [],
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    await promisify(execFile)(process.execPath, [TSC, '-p', folder])
    return ''
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? String(error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('every code block of README and guides compiles under strict', async () => {
  const snippets = await readSnippets()
  assert.ok(snippets.length >= 5, `only ${snippets.length} code blocks were found`)
  assert.equal(await compile(snippets), '')
})

test('a code block that does not compile is found', async () => {
  const broken = "import { pawl } from 'pawl'\nconst text: string = pawl\n"
  assert.match(await compile([{ place: 'x:1', extension: 'ts', code: broken }]), /TS2322/)
})
