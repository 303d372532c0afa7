import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { listExamples } from '../support/examples/install.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LONGEST_LINE = 100

interface Document {
  file: string
  text: string
}

async function documents(): Promise<Document[]> {
  const examples = listExamples().map((name) => `examples/${name}`)
  const folders = ['.', '.github', 'docs', 'plugins', 'routes', 'test', 'bench', ...examples]
  const found = await Promise.all(
    folders.map(async (folder) => {
      const isTree = folder === 'docs' || folder === '.github'
      const names = await readdir(join(ROOT, folder), { recursive: isTree })
      return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name))
    }),
  )
  return Promise.all(
    found.flat().map(async (file) => ({ file, text: await readFile(join(ROOT, file), 'utf8') })),
  )
}

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```$/gm, '')
/** Without what `npm run bench` writes between its two marks. */
const withoutFigures = (text: string) =>
  text.replace(/<!-- figures -->[\s\S]*<!-- end of figures -->/, '')

/** Returns the anchors of the headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  const headings = withoutCode(text).matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

test('every link between documents leads to a file and a heading that exist', async () => {
  const all = await documents()
  assert.ok(all.length > 20)
  const broken: string[] = []
  for (const { file, text } of all) {
    for (const [, link = ''] of withoutCode(text).matchAll(/\]\(((?!https?:|mailto:)[^)\s]+)\)/g)) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? file : join(dirname(file), path)
      const linked = all.find((other) => other.file === target)
      const isBroken =
        !existsSync(join(ROOT, target)) ||
        (anchor !== undefined && linked !== undefined && !anchorsOf(linked.text).includes(anchor))
      if (isBroken) broken.push(`${file}: ${link}`)
    }
  }
  assert.deepEqual(broken, [])
})

test('no line of a document is longer than 100 columns, but for tables and links', async () => {
  const isExempt = (line: string) => /^\s*[|<]|^\s*!?\[|https?:\/\/|\]\(/.test(line)
  const long = (await documents()).flatMap(({ file, text }) =>
    withoutFigures(withoutCode(text))
      .split('\n')
      .flatMap((line, index) =>
        line.length > LONGEST_LINE && !isExempt(line) ? [`${file}:${index + 1}`] : [],
      ),
  )
  assert.deepEqual(long, [])
})

test('the decision records have one format, and the index lists each with its status', async () => {
  const all = await documents()
  const index = all.find(({ file }) => file === 'docs/adr/README.md')?.text ?? ''
  const records = all.filter(({ file }) => /^docs\/adr\/\d{4}-/.test(file))
  assert.ok(records.length > 10)
  for (const { file, text } of records) {
    const form =
      /^# (\d+)\. (.+)\n\n- Status: (.+)\n- Date: \d{4}-\d\d-\d\d\n\n## Context\n[\s\S]+\n## Decision\n[\s\S]+\n## Consequences\n/
    const [, number, title, status] = form.exec(text) ?? assert.fail(`${file} has another format`)
    assert.equal(Number(file.slice(9, 13)), Number(number), file)
    const row = `| ${number} | [${title}](${file.slice(9)}) | ${status} |`
    assert.ok(index.includes(row), `the index lacks this row: ${row}`)
  }
})
