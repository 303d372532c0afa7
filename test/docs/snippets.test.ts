import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

interface Snippet {
  /** File and line of the code block. */
  place: string
  extension: string
  code: string
}

/** Finds the code blocks in TypeScript and JavaScript. */
function snippetsOf(file: string, text: string): Snippet[] {
  const blocks = text.matchAll(/^```(tsx?|js)\n([\s\S]*?)^```$/gm)
  return [...blocks].map(({ index, 1: language = '', 2: code = '' }) => ({
    place: `${file}:${text.slice(0, index).split('\n').length}`,
    // JavaScript is checked as TypeScript: readers paste it into either.
    extension: language === 'js' ? 'ts' : language,
    code,
  }))
}

async function markdownFiles(): Promise<string[]> {
  const inDocs = await readdir(join(ROOT, 'docs'), { recursive: true })
  const found = inDocs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  return ['README.md', 'CONTRIBUTING.md', 'examples/spa/README.md', ...found]
}

/** Compiles the snippets, each as a module of its own. Returns what the compiler printed. */
async function compile(snippets: readonly Snippet[]): Promise<string> {
  // Inside the checkout, so that the snippets are ES modules and find the packages they import.
  const folder = await mkdtemp(join(ROOT, '.snippets-'))
  const nameOf = ({ place, extension }: Snippet) =>
    `${place.replaceAll(/[^\w]/g, '-')}.${extension}`
  try {
    await Promise.all(
      snippets.map((snippet) =>
        writeFile(join(folder, nameOf(snippet)), `${snippet.code}\nexport {}\n`),
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
        'pawl/client': [join(ROOT, 'src/client/index.ts')],
        'pawl/client/react': [join(ROOT, 'src/client/react/index.ts')],
      },
    }
    const config = {
      extends: '../tsconfig.json',
      compilerOptions,
      // The server declares what some plugins add to the types of Fastify.
      files: [...snippets.map(nameOf), '../src/server.ts'],
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
  const files = await markdownFiles()
  const texts = await Promise.all(
    files.map(async (file) => snippetsOf(file, await readFile(join(ROOT, file), 'utf8'))),
  )
  const snippets = texts.flat()
  assert.ok(snippets.length >= 5, `only ${snippets.length} code blocks were found`)
  assert.equal(await compile(snippets), '')
})

test('a code block that does not compile is found', async () => {
  const broken = "import { pawl } from 'pawl'\nconst text: string = pawl\n"
  assert.match(await compile([{ place: 'x:1', extension: 'ts', code: broken }]), /TS2322/)
})
