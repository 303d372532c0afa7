import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { cleanUp } from '../clean-up.ts'

interface ReceivedMail {
  from: string
  to: string[]
  /** The mail as it arrived, with its quoted-printable encoding undone. */
  source: string
  headers: Record<string, string>
}

/** What the server does with a mail: accepts it, a reply code, or cuts the connection. */
export type Reaction = 'accept' | number | 'cut'

export interface MailServer {
  url: string
  /** Every mail whose data arrived, whatever the reply was. */
  received: ReceivedMail[]
  /** Chooses the reply to a recipient; `accept` by default. */
  onRecipient: (address: string) => 'accept' | number
  /** Chooses what follows the data of a mail; `accept` by default. */
  onData: (mail: ReceivedMail) => Reaction | Promise<Reaction>
  goDown(): Promise<void>
  comeBack(): Promise<void>
}

/** Starts a mail server that goes down after the test. */
export async function startMailServer(t: TestContext): Promise<MailServer> {
  const mailServer = await openMailServer()
  cleanUp(t, mailServer.goDown)
  return mailServer
}

/** Starts a real mail server without TLS on a port of its own. */
export async function openMailServer(): Promise<MailServer> {
  let server: SMTPServer | undefined
  let port = 0

  async function comeBack(): Promise<void> {
    const started = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      closeTimeout: 100,
      onRcptTo({ address }, _session, done) {
        const reply = mailServer.onRecipient(address)
        done(reply === 'accept' ? null : refusal(reply))
      },
      async onData(stream, session, done) {
        const chunks: Buffer[] = []
        try {
          for await (const chunk of stream) chunks.push(chunk)
        } catch {
          // The connection ended within the data, so there is no mail.
          return done(refusal(451))
        }
        const { mailFrom, rcptTo } = session.envelope
        const mail = {
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          ...parse(Buffer.concat(chunks).toString()),
        }
        mailServer.received.push(mail)
        const reaction = await mailServer.onData(mail)
        if (reaction === 'accept') return done()
        if (reaction !== 'cut') return done(refusal(reaction))
        for (const connection of started.connections) connection.close()
      },
    })
    server = started
    server.on('error', () => {})
    server.listen(port, '127.0.0.1')
    await once(server.server, 'listening')
    port = (server.server.address() as AddressInfo).port
  }

  const goDown = () => new Promise<void>((resolve) => server?.close(resolve))

  const mailServer: MailServer = {
    url: '',
    received: [],
    onRecipient: () => 'accept',
    onData: () => 'accept',
    goDown,
    comeBack,
  }
  await comeBack()
  mailServer.url = `smtp://127.0.0.1:${port}`
  return mailServer
}

function refusal(responseCode: number): Error {
  return Object.assign(new Error('refused by the test'), { responseCode })
}

function parse(raw: string) {
  const source = raw
    .replaceAll(/=\r\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  const [head = ''] = raw.split('\r\n\r\n')
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')
  const headers = lines.map((line) => {
    const [name = ''] = line.split(':')
    return [name.toLowerCase(), line.slice(name.length + 1).trim()]
  })
  return { source, headers: Object.fromEntries(headers) as Record<string, string> }
}
