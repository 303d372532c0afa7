/**
 * The world around the model of the server: an honest client, a thief, and everything that may be
 * lost.
 *
 * What the world assumes:
 * - A request is decided when it is sent, or never. (A request that is delayed until its client has
 *   refreshed elsewhere looks like theft; the real server refuses it by its deadline.)
 * - A decision is one step, except for a re-opening if interruptions are allowed.
 * - Whatever a store lost is noticed before anyone is served: a new server, a clock that was set
 *   back, and a Postgres that went back. What the stream of revocations lacks is published again,
 *   and what Postgres lacks is revoked again, in that moment.
 * - The stream keeps a revocation for as long as the run lasts.
 * - No session expires.
 */
import {
  type Decision,
  type HotSession,
  NEVER,
  PAST_GRACE,
  RULES,
  type Rules,
  type SessionRow,
} from './model.ts'
import { BEFORE_THEFT, type Detection } from './model-detection.ts'

export interface Setting {
  rules: Rules
  tabs: 1 | 2
  /**
   * An honest client presents its newest token only, and retries with it until a response arrives.
   * - 'shared key': the tabs store the key beside the token, and every tab uses it.
   * - 'own keys': each tab makes a key of its own.
   * - 'no key': no retry comes later than the grace after the first attempt of any tab.
   * - 'no key, own clocks': the same, but after the first attempt of the same tab.
   */
  client: 'shared key' | 'own keys' | 'no key' | 'no key, own clocks'
  /**
   * Maximum number of lost responses per generation. If it is finite, every other response arrives
   * before time passes.
   */
  lostResponses: number
  thief: boolean
  /** Whether a process may die, or lose Redis, between re-opening a session and rotating it. */
  interruptions: boolean
  /** Maximum number of times that the hot state is lost. */
  flushes: number
  /** Maximum number of times that the last writes of the hot state are lost. */
  failOvers: number
  /** Maximum number of times that the server before the last fail-over returns, as it was then. */
  returns: number
  /** Maximum number of times that Postgres loses its last commits. */
  rowLosses: number
  /** Maximum number of times that the clock is set back. */
  setBacks: number
  /** Maximum number of all of them together. */
  losses: number
  /** The highest generation that a run reaches. */
  generations: number
}

export const SETTING: Setting = {
  rules: RULES,
  tabs: 1,
  client: 'shared key',
  lostResponses: Number.POSITIVE_INFINITY,
  thief: false,
  interruptions: false,
  flushes: 0,
  failOvers: 0,
  returns: 0,
  rowLosses: 0,
  setBacks: 0,
  losses: 2,
  generations: 4,
}

/** What a server of the hot state has. */
export interface Server {
  hot: HotSession | undefined
  /** Whether the stream of revocations has the session. */
  published: boolean
}

export type Loss = 'flushes' | 'failOvers' | 'returns' | 'rowLosses' | 'setBacks'

export interface World extends Server, SessionRow {
  /** What a fail-over restores: the server at any earlier moment. */
  replica: Server
  /** The server before the last fail-over. */
  former: Server | undefined
  /** What a fail-over of Postgres restores: the row of any earlier moment. */
  rowReplica: SessionRow
  /** Ticks since the newest generation was issued, by no clock, or since the last loss. */
  sinceRotation: number
  /** Whether the revocation is acknowledged. */
  closed: boolean
  /** Whether reuse was detected. Lost only together with the hot state, before Postgres has it. */
  theftFound: boolean
  /** The newest generation that was ever issued. */
  issued: number
  /** The newest generation that was issued since the last loss. */
  issuedSinceLoss: number
  /** How often each of them has happened. */
  lost: Readonly<Record<Loss, number>>
  /** The generation of the honest client's newest token. */
  newest: number
  /** Per tab: whether a response is on its way. */
  waiting: readonly boolean[]
  /** Per tab: ticks since the first attempt with this token. */
  trying: readonly number[]
  lostResponses: number
  detection: Detection
}

export type Step =
  | { do: 'present'; who: string; generation: number; key: string; decision: Decision }
  | {
      do:
        | 'wait'
        | 'lose everything'
        | 'replicate'
        | 'fail over'
        | 'return to the former server'
        | 'replicate Postgres'
        | 'fail over Postgres'
        | 'set the clock back'
        | 'checkpoint'
        | 'revoke'
        | 'close'
        | 'steal'
    }
  | { do: 'open'; who: string; generation: number; key: string; requested: number }
  | { do: 'deliver' | 'lose the response'; tab: number }

export interface Transition {
  step: Step
  world: World
  /** The promise that this step breaks. */
  broken?: string | undefined
}

export function initialWorld({ tabs }: Setting): World {
  const hot = { generation: 1, age: PAST_GRACE, key: '', isStale: false, recurs: NEVER }
  const server = { hot, published: false }
  const row = { checkpoint: 1, revoked: false }
  const client = {
    newest: 1,
    waiting: Array(tabs).fill(false),
    trying: Array(tabs).fill(NEVER),
    lostResponses: 0,
  }
  return {
    ...server,
    replica: server,
    former: undefined,
    ...row,
    rowReplica: row,
    sinceRotation: PAST_GRACE,
    closed: false,
    theftFound: false,
    issued: 1,
    issuedSinceLoss: 1,
    lost: { flushes: 0, failOvers: 0, returns: 0, rowLosses: 0, setBacks: 0 },
    ...client,
    detection: BEFORE_THEFT,
  }
}
