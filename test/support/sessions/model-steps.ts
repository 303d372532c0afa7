/** Every step that may come next in a world, and the promises that no step may break. */
import { type HotSession, isServed, PAST_GRACE, present, reopen } from './model.ts'
import { afterLoss, afterRefresh, NEVER } from './model-detection.ts'
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
    const after = { hot: undefined, closed: true, detection: afterLoss(world.detection) }
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

function* lossSteps(world: World, { rules, ...limits }: Setting): Generator<Transition> {
  const { hot, replica, flushes, failOvers, revoked } = world
  const mayLose = flushes + failOvers < limits.losses
  const lost = {
    issuedSinceLoss: 0,
    theftFound: world.theftFound && revoked,
    detection: afterLoss(world.detection),
  }
  if (mayLose && flushes < limits.flushes && hot) {
    const flushed = { ...world, ...lost, hot: undefined, flushes: flushes + 1 }
    yield { step: { do: 'lose everything' }, world: flushed }
  }
  if (failOvers === limits.failOvers || !mayLose || isSame(hot, replica)) return
  yield { step: { do: 'replicate' }, world: { ...world, replica: hot } }
  const restored = revoked && rules.closingAgain ? undefined : replica
  yield {
    step: { do: 'fail over' },
    world: { ...world, ...lost, hot: restored, failOvers: failOvers + 1 },
  }
}

function* interrupted(
  world: World,
  setting: Setting,
  who: string,
  generation: number,
  key: string,
) {
  if (!setting.interruptions || world.hot || world.revoked) return
  const hot = reopen(world, generation, key, setting.rules)
  const [issued, issuedSinceLoss] = [
    Math.max(world.issued, hot.generation),
    Math.max(world.issuedSinceLoss, hot.generation),
  ]
  yield {
    step: { do: 'open', who, generation, key } as const,
    world: { ...world, hot, issued, issuedSinceLoss },
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
    issued: Math.max(world.issued, newest),
    issuedSinceLoss: Math.max(world.issuedSinceLoss, newest),
    // Theft is detected, so the count ends. If that knowledge is lost, it starts again.
    detection: theftFound ? afterLoss(detection) : detection,
  }
  return { step, decision, world: after, broken: brokenPromise(world, after, step) }
}

/** Returns the promise that a decision breaks, if it breaks one. */
function brokenPromise(
  world: World,
  after: World,
  { decision, generation }: Step & { do: 'present' },
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
  return undefined
}

function older(world: World): World {
  const age = <T extends HotSession | undefined>(hot: T): T =>
    hot && { ...hot, age: Math.min(hot.age + 1, PAST_GRACE) }
  const { detection } = world
  const { victim, thief, ahead } = detection
  return {
    ...world,
    hot: age(world.hot),
    replica: age(world.replica),
    trying: world.trying.map(since),
    detection: { ...detection, victim: since(victim), thief: since(thief), ahead: since(ahead) },
  }
}

function since(age: number): number {
  return age === NEVER ? NEVER : Math.min(age + 1, PAST_GRACE)
}

function isSame(one: HotSession | undefined, other: HotSession | undefined): boolean {
  return one?.generation === other?.generation && one?.age === other?.age && one?.key === other?.key
}
