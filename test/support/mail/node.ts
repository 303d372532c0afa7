import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { database } from '../../../plugins/database.ts'
import { mails } from '../../../plugins/mail.ts'
import { metrics } from '../../../plugins/metrics.ts'
import { loadConfig } from '../../../src/config/config.ts'
import type { IssueCode, MailCallback } from '../../../src/mail/mail.ts'
import { cleanUp } from '../clean-up.ts'
import { type Env, environment } from '../environment.ts'

export interface MailNode {
  app: FastifyInstance
  /** Returns the lines that it has logged so far. */
  output(): string
}

/** Returns the environment of a server that sends mails. */
export function mailEnvironment(t: TestContext, smtpUrl: string): Promise<Env> {
  const mail = { MAIL_FROM: 'Example <login@example.com>', MAIL_LINK: 'https://app.example.com/' }
  return environment(t, { SMTP_URL: smtpUrl, ...mail })
}

/** Builds the part of a server that sends mails. It is not ready yet, and closes after the test. */
export async function buildMailNode(
  t: TestContext,
  env: Env,
  { mail, issue = async () => undefined }: { mail?: MailCallback; issue?: IssueCode } = {},
): Promise<MailNode> {
  const config = loadConfig(env)
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const app = Fastify({ logger: { level: 'debug', stream } })
  cleanUp(t, () => app.close())
  await app.register(metrics)
  await app.register(database, config)
  await app.register(mails, { ...config, mail, issue })
  return { app, output: () => lines.join('') }
}
