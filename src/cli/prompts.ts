import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Terminal } from './terminal.ts'

/** Resolves if a person confirms. Rejects if they do not, and if there is no terminal to ask at. */
export async function confirm({ stdin, stderr }: Terminal, consequence: string): Promise<void> {
  if (!stdin.isTTY)
    throw new Error(`${consequence}\nNothing was done. To skip this confirmation, add --yes.`)
  const editor = createInterface({ input: stdin, output: stderr })
  const ask = questioner(editor)
  try {
    const answer = await ask(`${consequence}\nContinue? Type yes: `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Nothing was done.')
  } finally {
    editor.close()
  }
}

/**
 * Returns a password: everything from the pipe except one final line break, or what a person types
 * twice. Rejects if it is empty.
 */
export async function readPassword(terminal: Terminal, fromPipe: boolean): Promise<string> {
  const { stdin } = terminal
  const password =
    fromPipe || !stdin.isTTY
      ? (await text(stdin)).replace(/\r?\n$/, '')
      : await promptForPassword(terminal)
  if (!password) throw new Error('The password is empty. Type one, or pass it on standard input.')
  return password
}

async function promptForPassword({ stdin, stderr }: Terminal): Promise<string> {
  // The line editor echoes what is typed to its output, so that output is discarded.
  const discarded = new Writable({ write: (_chunk, _encoding, done) => done() })
  const editor = createInterface({ input: stdin, output: discarded, terminal: true })
  const ask = questioner(editor)
  async function askFor(label: string): Promise<string> {
    const answer = ask('')
    stderr.write(label)
    const typed = await answer
    stderr.write('\n')
    return typed
  }
  try {
    const password = await askFor('Password: ')
    if (password && (await askFor('Repeat the password: ')) !== password)
      throw new Error('The two passwords are not the same. Nothing was done.')
    return password
  } finally {
    editor.close()
  }
}

/** Returns a function that asks a question. An interruption and the end of the input are ''. */
function questioner(editor: Interface): (question: string) => Promise<string> {
  const closed = once(editor, 'close').then(() => '')
  editor.once('SIGINT', () => editor.close())
  return (question) => Promise.race([editor.question(question).catch(() => ''), closed])
}
