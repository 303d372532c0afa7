/**
 * The world around the model of the server: an honest client, a thief, and all that may be lost.
 *
 * What it takes for granted: a request is decided when it is sent, or never (one that is held up on its way until its
 * client has long gone on looks like theft); the rules of one answer are one step, but for a re-opening where
 * interruptions are allowed; ended sessions are closed again before a fail-over lets anyone in; no session expires.
 */
import { type Answer, type Hot, LATER, type Rules, TABLE } from './model.ts'
import { NEVER, type Pursuit, UNTOUCHED } from './model-pursuit.ts'

export interface Setting {
  rules: Rules
  tabs: 1 | 2
  /**
   * An honest client presents its newest token only, and tries again with it until an answer has arrived. 'shared key':
   * the tabs keep the key beside the token, and whichever tries uses it. 'own keys': each tab makes one for itself.
   * 'no key': tries again no later than the grace period after its first attempt, whichever tab made that; 'no key, own
   * clocks': after the first attempt of the same tab.
   */
  client: 'shared key' | 'own keys' | 'no key' | 'no key, own clocks'
  /** Answers to one generation that may get lost. Where bounded, the others arrive before time passes. */
  lostAnswers: number
  thief: boolean
  /** A process may die, or lose sight of Redis, when it has re-opened a session and not yet tried again. */
  interruptions: boolean
  /** How often everything may be lost, how often the last writes, and how often either. */
  flushes: number
  failOvers: number
  losses: number
  /** The last one that is reached. */
  generations: number
}

export const SETTING: Setting = {
  rules: TABLE,
  tabs: 1,
  client: 'shared key',
  lostAnswers: Number.POSITIVE_INFINITY,
  thief: false,
  interruptions: false,
  flushes: 0,
  failOvers: 0,
  losses: 2,
  generations: 4,
}

export interface World {
  hot: Hot | undefined
  /** What a fail-over brings back: the hot state of any earlier moment. */
  replica: Hot | undefined
  checkpoint: number
  revoked: boolean
  /** The revocation is acknowledged. */
  closed: boolean
  /** A spent token was found; forgotten only where that write is lost before Postgres has heard of it. */
  found: boolean
  /** The newest generation that was ever made, and that was made since the last loss. */
  issued: number
  made: number
  flushes: number
  failOvers: number
  /** The newest token of the honest client; which tabs have an answer to it on the way, and since when they try. */
  newest: number
  waiting: readonly boolean[]
  trying: readonly number[]
  lostAnswers: number
  pursuit: Pursuit
}

export type Step =
  | { do: 'present'; who: string; generation: number; key: string; answer: Answer }
  | {
      do:
        | 'wait'
        | 'lose everything'
        | 'replicate'
        | 'fail over'
        | 'checkpoint'
        | 'revoke'
        | 'close'
        | 'steal'
    }
  | { do: 'open'; who: string; generation: number; key: string }
  | { do: 'deliver' | 'lose the answer'; tab: number }

export interface Next {
  step: Step
  world: World
  /** The promise that this step breaks. */
  broken?: string | undefined
}

export function beginning({ tabs }: Setting): World {
  const hot = { generation: 1, age: LATER, key: '' }
  const client = {
    newest: 1,
    waiting: Array(tabs).fill(false),
    trying: Array(tabs).fill(NEVER),
    lostAnswers: 0,
  }
  const truth = { checkpoint: 1, revoked: false, closed: false, found: false }
  return {
    hot,
    replica: hot,
    ...truth,
    issued: 1,
    made: 1,
    flushes: 0,
    failOvers: 0,
    ...client,
    pursuit: UNTOUCHED,
  }
}
