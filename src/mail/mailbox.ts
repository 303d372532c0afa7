import type { MailCallback, MailMessage } from './mail.ts'

/** Mails that are kept. */
const SIZE = 50

export interface Mailbox {
  /** Keeps a mail instead of sending it. A repetition replaces the earlier attempt. */
  deliver: MailCallback
  /** Returns the mails, the newest first. */
  list(): (MailMessage & { at: number })[]
}

/**
 * Creates a mailbox in the memory of this process, so that everything that needs a mail can be
 * tried without a mail server. `clock` returns milliseconds since 1970.
 */
export function createMailbox(clock: () => number): Mailbox {
  let mails: (MailMessage & { at: number })[] = []
  return {
    async deliver(message) {
      const others = mails.filter(({ id }) => id !== message.id)
      mails = [{ ...message, at: clock() }, ...others].slice(0, SIZE)
    },
    list: () => mails,
  }
}
