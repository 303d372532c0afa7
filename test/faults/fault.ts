import { setTimeout as delay } from 'node:timers/promises'
import type { Load } from './load.ts'
import type { Random } from './random.ts'
import type { Fault as FaultEvent } from './record.ts'
import { STALL, type System } from './system.ts'
import type { RedisServers } from './topology.ts'

export interface Fault<R extends RedisServers = RedisServers>
  extends Pick<FaultEvent, 'name' | 'losesWrites' | 'losesCommits' | 'shiftsClock' | 'oneServer'> {
  description: string
  /** Runs from the beginning of the fault to its end. The caller waits for recovery. */
  inject(system: System<R>, random: Random, load: Load): Promise<void>
}

export const HARMLESS = {
  losesWrites: false,
  losesCommits: false,
  shiftsClock: false,
  oneServer: false,
}
export const LOSES_WRITES = { ...HARMLESS, losesWrites: true }
export const LOSES_COMMITS = { ...HARMLESS, losesCommits: true }
export const ONE_SERVER = { ...HARMLESS, oneServer: true }

/** Longer than the staleness bound. */
export const stall = (random: Random) => delay(random.between(...STALL))
