import { setTimeout as delay } from 'node:timers/promises'
import { type MailServer, openMailServer, type Reaction } from '../../support/mail/smtp.ts'
import { type Fault, HARMLESS, ONE_SERVER } from '../fault.ts'
import { anyOf } from '../faults.ts'
import { startMailLoad } from '../mail-load.ts'
import { hurryMails } from '../outbox-watch.ts'
import type { Topology } from '../topology.ts'
import { type Single, startSingle } from './single-servers.ts'

export interface WithMail extends Single {
  mail: MailServer
  /** Chooses what follows the data of a mail. */
  react: () => Promise<Reaction>
  /** Is called for each mail whose data arrived, before a reply is sent. */
  onArrival: (mail: string, isAccepted: boolean) => void
}

const accept = async (): Promise<Reaction> => 'accept'

const MAIL_FAULTS: readonly Fault<WithMail>[] = [
  {
    name: 'mail-server',
    description:
      'the mail server refuses half of the mails for now, dies between DATA and its reply, and is unavailable for a while',
    ...HARMLESS,
    async inject({ redis, sql }, random) {
      const { mail } = redis
      mail.onRecipient = () => (random.chance(0.5) ? random.pick([421, 450]) : 'accept')
      await delay(random.between(300, 900))
      mail.onRecipient = () => 'accept'
      await hurryMails(sql)
      redis.react = async () => (random.chance(0.4) ? 'cut' : 'accept')
      await delay(random.between(300, 900))
      await mail.goDown()
      redis.react = accept
      await delay(random.between(300, 900))
      await mail.comeBack()
      await hurryMails(sql)
    },
  },
  {
    name: 'mail-crash',
    description:
      'kill -9 of a server after requests of new passwords, before or while it sends the mails, and another one in its place',
    ...ONE_SERVER,
    async inject(system, random, load) {
      const { nodes, redis, sql } = system
      const server = anyOf(system, random)
      redis.react = async () => {
        await delay(random.between(0, 300))
        return 'accept'
      }
      load.burstAt(server)
      await delay(random.between(20, 300))
      await nodes[server]?.restart()
      redis.react = accept
      await hurryMails(sql)
    },
  },
]

export const MAIL: Topology<WithMail> = {
  name: 'mail',
  description: 'users ask for links by mail; a mail server receives them by SMTP',
  faults: MAIL_FAULTS,
  load: { start: startMailLoad, calm: 0 },
  async start() {
    const [single, mail] = await Promise.all([startSingle(), openMailServer()])
    const own: WithMail = {
      ...single,
      env: {
        SMTP_URL: mail.url,
        MAIL_FROM: 'login@example.com',
        MAIL_LINK: 'https://app.example.com/',
      },
      mail,
      react: accept,
      onArrival: () => {},
      async stop() {
        await mail.goDown()
        await single.stop()
      },
    }
    mail.onData = async ({ headers }) => {
      const reaction = await own.react()
      const [id = ''] = (headers['message-id'] ?? '').slice(1).split('@')
      own.onArrival(id, reaction === 'accept')
      return reaction
    }
    return own
  },
}
