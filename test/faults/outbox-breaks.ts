import type { Break } from './break.ts'

/** Breaks of what the servers promise about mails and about guesses. */
export const OUTBOX_BREAKS: readonly Break[] = [
  {
    name: 'remove a mail before it is sent',
    topology: 'mail',
    fault: 'mail-crash',
    shows: 'mailsLost',
    changes: [
      {
        file: 'src/mail/mail-queue.ts',
        text: `.update(mails)\n        .set({ dueAt: fromNow(lease), attempts: sql\`\${attempts} + 1\` })`,
        by: '.delete(mails)',
      },
    ],
  },
  {
    name: 'no order of mails',
    topology: 'mail',
    fault: 'mail-server',
    shows: 'mailsDisordered',
    changes: [
      {
        file: 'src/mail/mail-queue.ts',
        text: 'notExists(predecessorsOf(orm))',
        by: 'sql`true`',
      },
    ],
  },
  {
    name: 'count a mail that failed as sent',
    topology: 'mail',
    fault: 'mail-server',
    shows: 'mailsLost',
    changes: [
      {
        file: 'src/mail/smtp-transport.ts',
        text: 'return failureOf(error)',
        by: "void failureOf(error)\n        return { outcome: 'delivered' }",
      },
    ],
  },
  {
    name: 'check passwords that cannot be counted',
    topology: 'guesses',
    fault: 'guess-count',
    shows: 'guessesBeyond',
    changes: [
      {
        file: 'src/guesses/guesses.ts',
        text: 'await store.reserve(count.key, count.tallies)',
        by: "await store.reserve(count.key, count.tallies).catch(() => ({ outcome: 'reserved' }))",
      },
    ],
  },
]
