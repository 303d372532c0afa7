import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Terminal } from './terminal.ts'

/** A password from the pipe (all of it, less one line end), or typed twice by a person. Rejects where there is none. */
export async function readPassword(terminal: Terminal, fromPipe: boolean): Promise<string> {
  const { stdin } = terminal
  const password =
    fromPipe || !stdin.isTTY ? (await text(stdin)).replace(/\r?\n$/, '') : await prompt(terminal)
  if (!password) throw new Error('No password was given.')
  return password
}

async function prompt({ stdin, stderr }: Terminal): Promise<string> {
  // The line editor echoes what is typed to its output: here it goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const editor = createInterface({ input: stdin, output: nowhere, terminal: true })
  const closed = once(editor, 'close').then(() => '')
  editor.once('SIGINT', () => editor.close())
  async function ask(label: string): Promise<string> {
    const typed = editor.question('').catch(() => '')
    stderr.write(label)
    const answer = await Promise.race([typed, closed])
    stderr.write('\n')
    return answer
  }
  try {
    const password = await ask('Password: ')
    if (password && (await ask('The same again: ')) !== password)
      throw new Error('The two passwords are not the same.')
    return password
  } finally {
    editor.close()
  }
}
