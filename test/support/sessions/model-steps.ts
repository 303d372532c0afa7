/** Every step that may come next in a world, and the promises that no step may break. */
import {
  type Decision,
  type HotSession,
  isKnown,
  isServed,
  NEVER,
  PAST_GRACE,
  present,
  reopen,
} from './model.ts'
import { afterLoss, afterRefresh } from './model-detection.ts'
import { lossSteps } from './model-losses.ts'
import type { Setting, Step, Transition, World } from './model-world.ts'

export function* transitionsFrom(world: World, setting: Setting): Generator<Transition> {
  yield* clientSteps(world, setting)
  if (setting.thief) yield* thiefSteps(world, setting)
  yield* lossSteps(world, setting)

  const { hot, checkpoint, issued, revoked, closed } = world
  if (checkpoint < issued)
    yield { step: { do: 'checkpoint' }, world: { ...world, checkpoint: checkpoint + 1 } }
  // The user revokes the session, or reuse is detected: first in Postgres, then in the hot state.
  if (!revoked) yield { step: { do: 'revoke' }, world: { ...world, revoked: true } }
  else if (!closed || hot) {
    const detection = afterLoss(world.detection)
    const after = { hot: undefined, closed: true, published: true, detection }
    yield { step: { do: 'close' }, world: { ...world, ...after } }
  }
  const responsesAreQuick = Number.isFinite(setting.lostResponses)
  if (!responsesAreQuick || !world.waiting.includes(true))
    yield { step: { do: 'wait' }, world: older(world) }
}

function* clientSteps(world: World, setting: Setting): Generator<Transition> {
  const { newest, waiting, trying, detection } = world
  const isBounded = Number.isFinite(setting.lostResponses)
  for (let tab = 0; tab < setting.tabs; tab++) {
    if (waiting[tab]) {
      // The other tab takes over the new token, and ends its own attempt.
      const token = {
        newest: newest + 1,
        waiting: waiting.map(() => false),
        trying: trying.map(() => NEVER),
      }
      const advanced = {
        ...world,
        ...token,
        lostResponses: 0,
        detection: { ...detection, isVictimServed: false },
      }
      yield { step: { do: 'deliver', tab }, world: advanced }
      if (world.lostResponses >= setting.lostResponses) continue
      const lostResponses = isBounded ? world.lostResponses + 1 : 0
      const lost = { ...world, waiting: waiting.with(tab, false), lostResponses }
      yield { step: { do: 'lose the response', tab }, world: lost }
    } else if (newest < setting.generations && maySend(tab, trying, setting)) {
      const who = `tab ${tab + 1}`
      const key = {
        'shared key': 'client',
        'own keys': who,
        'no key': '',
        'no key, own clocks': '',
      }[setting.client]
      const next = presented(world, setting, who, newest, key)
      yield* interrupted(world, setting, who, newest, key)
      const since = key === '' && trying[tab] === NEVER ? trying.with(tab, 0) : trying
      const isWaiting = isServed(next.decision)
      yield {
        ...next,
        world: { ...next.world, trying: since, waiting: waiting.with(tab, isWaiting) },
      }
    }
  }
}

function maySend(tab: number, trying: readonly number[], { client }: Setting): boolean {
  if (client === 'no key') return trying.every((age) => age < PAST_GRACE)
  return client !== 'no key, own clocks' || (trying[tab] ?? NEVER) < PAST_GRACE
}

/** A thief copies the newest token once, at any time, and knows no key but their own. */
function* thiefSteps(world: World, setting: Setting): Generator<Transition> {
  const { stolen, thiefNewest } = world.detection
  if (stolen === 0) {
    const detection = { ...world.detection, stolen: world.newest, thiefNewest: world.newest }
    yield { step: { do: 'steal' }, world: { ...world, detection } }
    return
  }
  for (
    let generation = stolen;
    generation <= Math.min(thiefNewest, setting.generations - 1);
    generation++
  ) {
    for (const key of ['', 'thief']) {
      yield presented(world, setting, 'thief', generation, key)
      yield* interrupted(world, setting, 'thief', generation, key)
    }
  }
}

function* interrupted(
  world: World,
  setting: Setting,
  who: string,
  generation: number,
  key: string,
) {
  if (!setting.interruptions || world.revoked) return
  if (world.hot && isKnown(world.hot)) return
  const { requested, session: hot } = reopen(world.hot, world, generation, key, setting.rules)
  const [issued, issuedSinceLoss] = [
    Math.max(world.issued, hot.generation),
    Math.max(world.issuedSinceLoss, hot.generation),
  ]
  yield {
    step: { do: 'open', who, generation, key, requested } as const,
    world: {
      ...world,
      hot,
      issued,
      issuedSinceLoss,
      sinceRotation: world.hot?.generation === hot.generation ? world.sinceRotation : 0,
    },
  }
}

function presented(world: World, setting: Setting, who: string, generation: number, key: string) {
  const decision = present(world.hot, world, generation, key, setting.rules)
  const step = { do: 'present', who, generation, key, decision } as const
  const served = isServed(decision)
  const detection = setting.thief
    ? afterRefresh(world.detection, who, generation, served)
    : world.detection
  const theftFound = world.theftFound || decision.outcome === 'reused'
  const newest = decision.isNew ? generation + 1 : (decision.reopenedAt ?? 0)
  const after = {
    ...world,
    hot: decision.hot,
    theftFound,
    sinceRotation: sinceRotation(world, decision),
    issued: Math.max(world.issued, newest),
    issuedSinceLoss: Math.max(world.issuedSinceLoss, newest),
    // Theft is detected, so the count ends. If that knowledge is lost, it starts again.
    detection: theftFound ? afterLoss(detection) : detection,
  }
  return { step, decision, world: after, broken: brokenPromise(world, after, step, setting) }
}

/** Returns the promise that a decision breaks, if it breaks one. */
function brokenPromise(
  world: World,
  after: World,
  { decision, generation, key }: Step & { do: 'present' },
  { rules }: Setting,
) {
  const served = isServed(decision)
  const isHonest = world.detection.stolen === 0
  if (isHonest && decision.outcome === 'reused') return 'an honest client is taken for a thief'
  if (!served && isHonest && !world.revoked) return 'an honest client is logged out'
  if (decision.isNew && generation + 1 <= world.issuedSinceLoss)
    return 'a generation has two successors'
  if (served && world.closed) return 'a revoked session is served'
  if (served && world.theftFound) return 'a session is served after reuse was detected'
  const isFarBehind = decision.reopenedAt !== undefined && generation + 1 < world.checkpoint
  if (served && isFarBehind) return 'a re-opening ignores the checkpoint'
  if (after.detection.isUndetected) return 'thief and victim are both served'
  const isPastGrace = after.sinceRotation >= PAST_GRACE && !rules.spentUntilUsed
  const isLate = isPastGrace && !isRetry(world.hot, key)
  if (decision.outcome === 'replayed' && isLate) return 'a spent token is served after the grace'
  return undefined
}

/** Returns the ticks since the newest generation was issued, after a decision. */
function sinceRotation(world: World, { isNew, reopenedAt }: Decision): number {
  const isOpenedAfresh = reopenedAt !== undefined && reopenedAt !== world.hot?.generation
  return isNew || isOpenedAfresh ? 0 : world.sinceRotation
}

function isRetry(hot: HotSession | undefined, key: string): boolean {
  return key !== '' && hot?.key === key
}

function older(world: World): World {
  const { detection, replica, former } = world
  const { victim, thief, ahead } = detection
  return {
    ...world,
    hot: olderSession(world.hot),
    replica: { ...replica, hot: olderSession(replica.hot) },
    former: former && { ...former, hot: olderSession(former.hot) },
    sinceRotation: since(world.sinceRotation),
    trying: world.trying.map(since),
    detection: { ...detection, victim: since(victim), thief: since(thief), ahead: since(ahead) },
  }
}

function olderSession(hot: HotSession | undefined): HotSession | undefined {
  if (!hot) return hot
  const recurs = Math.max(hot.recurs - 1, NEVER)
  return { ...hot, age: recurs === 0 ? 0 : Math.min(hot.age + 1, PAST_GRACE), recurs }
}

function since(age: number): number {
  return age === NEVER ? NEVER : Math.min(age + 1, PAST_GRACE)
}
