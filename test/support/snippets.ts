import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listExamples } from './examples/install.ts'
import { ROOT } from './services/sources.ts'

export interface Snippet {
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

/** Returns a name for the file of a snippet, which says where it came from. */
export function fileNameOf({ place, extension }: Snippet): string {
  return `${place.replaceAll(/[^\w]/g, '-')}.${extension}`
}

/** Reads all code blocks of README, guides and the other documents. */
export async function readSnippets(): Promise<Snippet[]> {
  const inDocs = await readdir(join(ROOT, 'docs'), { recursive: true })
  const found = inDocs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  const examples = listExamples().map((name) => `examples/${name}/README.md`)
  const files = ['README.md', 'CONTRIBUTING.md', ...examples, ...found]
  const texts = await Promise.all(
    files.map(async (file) => snippetsOf(file, await readFile(join(ROOT, file), 'utf8'))),
  )
  return texts.flat()
}
