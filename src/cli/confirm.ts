import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import type { Terminal } from './terminal.ts'

/** Resolves once a person has said yes. Rejects where he has not, and where there is nobody to ask. */
export async function confirm({ stdin, stderr }: Terminal, consequence: string): Promise<void> {
  if (!stdin.isTTY)
    throw new Error(`${consequence}\nNothing was done: to do it without being asked, add --yes.`)
  const editor = createInterface({ input: stdin, output: stderr })
  const closed = once(editor, 'close').then(() => '')
  editor.once('SIGINT', () => editor.close())
  try {
    const typed = editor.question(`${consequence}\nGo on? Type yes: `).catch(() => '')
    const answer = await Promise.race([typed, closed])
    if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Nothing was done.')
  } finally {
    editor.close()
  }
}
