import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from 'postgres'
import type { Event } from './record.ts'

/** Milliseconds between two looks. */
const INTERVAL = 50
/** Milliseconds in which all mails must have left the outbox when there are no more faults. */
const DRAIN_LIMIT = 20_000
/** Milliseconds between two times at which the harness makes retries due. */
const HURRY = 1_000

/** Records which mails are committed and which have left the outbox. */
export interface OutboxWatch {
  /** Returns how many mails were queued for an address. */
  queuedFor(address: string): number
  /** Resolves when the outbox is empty. What is in it after a limit counts as lost. */
  drain(): Promise<void>
  stop(): Promise<void>
}

/**
 * Makes all retries due, and ends the leases of servers that died. The harness does not wait for
 * them, because they take up to a minute.
 */
export async function hurryMails(sql: Sql): Promise<void> {
  await sql`update mails set due_at = now() where dead_at is null and due_at > now()`
}

/** A trigger notes each mail in the transaction that queues it, so nothing depends on a response. */
export async function watchOutbox(sql: Sql, events: Event[]): Promise<OutboxWatch> {
  const counts = new Map<string, number>()
  const pending = new Set<string>()
  let isOver = false

  await sql.unsafe(`
    create table public.queued_mails (mail uuid, seq bigint, address text);
    create function public.note_mail() returns trigger language plpgsql as $$
      begin
        insert into public.queued_mails values (new.id, new.seq, new.address);
        return new;
      end
    $$;
    create trigger note_mail after insert on pawl.mails
      for each row execute function public.note_mail()`)

  async function look(): Promise<void> {
    const queued = await sql<{ mail: string; seq: string; address: string }[]>`
      delete from public.queued_mails returning mail, seq, address`
    for (const { mail, seq, address } of queued) {
      events.push({ kind: 'mail-queued', mail, seq: Number(seq), address })
      pending.add(mail)
      counts.set(address, (counts.get(address) ?? 0) + 1)
    }
    const waiting = await sql<{ id: string }[]>`select id from mails where dead_at is null`
    const ids = new Set(waiting.map(({ id }) => id))
    for (const mail of pending) if (!ids.has(mail)) leave(mail)
  }

  function leave(mail: string): void {
    pending.delete(mail)
    events.push({ kind: 'mail-left', mail })
  }

  async function watch(): Promise<void> {
    while (!isOver) {
      await look()
      await delay(INTERVAL)
    }
  }

  const watching = watch()
  watching.catch(() => {})
  return {
    queuedFor: (address) => counts.get(address) ?? 0,
    async drain() {
      const until = performance.now() + DRAIN_LIMIT
      let hurryAt = 0
      await look()
      while (pending.size > 0 && performance.now() < until) {
        if (performance.now() > hurryAt) {
          await hurryMails(sql)
          hurryAt = performance.now() + HURRY
        }
        await delay(INTERVAL)
      }
      for (const mail of pending) leave(mail)
    },
    async stop() {
      isOver = true
      await watching
    },
  }
}
