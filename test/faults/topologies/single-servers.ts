import { rm } from 'node:fs/promises'
import { createShiftedClock } from '../../support/services/clock-shift.ts'
import { createFolder } from '../../support/services/leash.ts'
import { startRedis } from '../../support/services/redis.ts'
import { untilTrue } from '../../support/services/until-true.ts'
import type { RedisServers } from '../topology.ts'
import { createOperator } from './operator.ts'

/** The stream of revocations. */
const STREAM = '{pawl:revocations}'

export interface Single extends RedisServers {
  flush(): Promise<void>
  /** Sends a signal to the current master. */
  kill(signal: NodeJS.Signals): void
  /** Kills the master with SIGKILL and starts an empty one in its place. */
  lose(): Promise<void>
  /**
   * Promotes the replica, which is cut off from the master before `writing` is awaited. `cut`
   * breaks the connections of every server.
   */
  failOver(writing: () => Promise<unknown>, cut: () => void): Promise<void>
  /**
   * The same, but the old master keeps what it had, and is the master again after `serving`: it
   * missed everything since then.
   */
  returnToOlder(serving: () => Promise<unknown>, cut: () => void): Promise<void>
  /** Removes the stream of revocations. */
  loseStream(): Promise<void>
  /** Lets Redis refuse whatever needs memory, or not. */
  setFull(isFull: boolean): Promise<void>
  /** Shifts the clock of both servers by this many seconds from the right time. */
  shiftClock(seconds: number): void
}

/**
 * One master behind the links, and a replica that takes its place; the two change roles each time.
 */
export async function startSingle(): Promise<Single> {
  const folder = await createFolder()
  const clock = createShiftedClock(folder)
  const env = { ...clock?.env }
  const [master, replica] = await Promise.all([startRedis({ env }), startRedis({ env })])
  let [active, standby] = [master, replica]
  const { on, isSynchronised, leave } = createOperator([master, replica])

  /** Makes the other server a copy of the master, which receives nothing more. */
  async function copyMaster(): Promise<void> {
    await on(standby, 'REPLICAOF', '127.0.0.1', active.port)
    await untilTrue(() => isSynchronised(standby), 'the replica has everything')
    await on(standby, 'REPLICAOF', 'NO', 'ONE')
  }

  await on(standby, 'CONFIG', 'SET', 'replica-read-only', 'no')
  for (const one of [active, standby])
    await on(one, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  return {
    url: ([port]) => `redis://127.0.0.1:${port}`,
    targets: [() => active.port],
    async whole() {},
    async flush() {
      await on(active, 'FLUSHALL')
    },
    kill: (signal) => active.kill(signal),
    async lose() {
      await active.crash('SIGKILL')
      await active.restart()
    },
    async failOver(writing, cut) {
      await copyMaster()
      await writing()
      ;[active, standby] = [standby, active]
      cut()
      // The old master is discarded, with the writes that only it had.
      await on(standby, 'FLUSHALL')
    },
    async returnToOlder(serving, cut) {
      await copyMaster()
      for (let turn = 0; turn < 2; turn++) {
        ;[active, standby] = [standby, active]
        cut()
        await serving()
      }
      await on(standby, 'FLUSHALL')
    },
    async loseStream() {
      await on(active, 'DEL', STREAM)
    },
    async setFull(isFull) {
      await on(active, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
      await on(active, 'CONFIG', 'SET', 'maxmemory', isFull ? 1_000_000 : 0)
    },
    shiftClock(seconds) {
      if (!clock) throw new Error('To shift the clock of Redis, install a C compiler (cc)')
      clock.shift(seconds)
    },
    async stop() {
      leave()
      await Promise.all([master.stop(), replica.stop()])
      clock?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
