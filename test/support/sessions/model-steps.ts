/** Every step that may come next in a world, and what must never come of one. */
import { type Hot, isServed, LATER, present, reopen } from './model.ts'
import { afterLoss, afterRefresh, NEVER } from './model-pursuit.ts'
import type { Next, Setting, Step, World } from './model-world.ts'

export function* nextOf(world: World, setting: Setting): Generator<Next> {
  yield* clientSteps(world, setting)
  if (setting.thief) yield* thiefSteps(world, setting)
  yield* lossSteps(world, setting)

  const { hot, checkpoint, issued, revoked, closed } = world
  if (checkpoint < issued)
    yield { step: { do: 'checkpoint' }, world: { ...world, checkpoint: checkpoint + 1 } }
  // By the user, or because a spent token was found: first in Postgres, then in the hot state.
  if (!revoked) yield { step: { do: 'revoke' }, world: { ...world, revoked: true } }
  else if (!closed || hot) {
    const ended = { hot: undefined, closed: true, pursuit: afterLoss(world.pursuit) }
    yield { step: { do: 'close' }, world: { ...world, ...ended } }
  }
  const answersAreQuick = Number.isFinite(setting.lostAnswers)
  if (!answersAreQuick || !world.waiting.includes(true))
    yield { step: { do: 'wait' }, world: older(world) }
}

function* clientSteps(world: World, setting: Setting): Generator<Next> {
  const { newest, waiting, trying, pursuit } = world
  const isBounded = Number.isFinite(setting.lostAnswers)
  for (let tab = 0; tab < setting.tabs; tab++) {
    if (waiting[tab]) {
      // The other tab takes over what this one was given, and forgets its own attempt.
      const token = {
        newest: newest + 1,
        waiting: waiting.map(() => false),
        trying: trying.map(() => NEVER),
      }
      const advanced = {
        ...world,
        ...token,
        lostAnswers: 0,
        pursuit: { ...pursuit, victimDecided: false },
      }
      yield { step: { do: 'deliver', tab }, world: advanced }
      if (world.lostAnswers >= setting.lostAnswers) continue
      const lostAnswers = isBounded ? world.lostAnswers + 1 : 0
      const lost = { ...world, waiting: waiting.with(tab, false), lostAnswers }
      yield { step: { do: 'lose the answer', tab }, world: lost }
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
      const isAnswered = isServed(next.answer)
      yield {
        ...next,
        world: { ...next.world, trying: since, waiting: waiting.with(tab, isAnswered) },
      }
    }
  }
}

function maySend(tab: number, trying: readonly number[], { client }: Setting): boolean {
  if (client === 'no key') return trying.every((age) => age < LATER)
  return client !== 'no key, own clocks' || (trying[tab] ?? NEVER) < LATER
}

/** He copies the newest token once, whenever he likes, and knows no key but his own. */
function* thiefSteps(world: World, setting: Setting): Generator<Next> {
  const { stolen, loot } = world.pursuit
  if (stolen === 0) {
    const pursuit = { ...world.pursuit, stolen: world.newest, loot: world.newest }
    yield { step: { do: 'steal' }, world: { ...world, pursuit } }
    return
  }
  for (
    let generation = stolen;
    generation <= Math.min(loot, setting.generations - 1);
    generation++
  ) {
    for (const key of ['', 'thief']) {
      yield presented(world, setting, 'thief', generation, key)
      yield* interrupted(world, setting, 'thief', generation, key)
    }
  }
}

function* lossSteps(world: World, { rules, ...most }: Setting): Generator<Next> {
  const { hot, replica, flushes, failOvers, revoked } = world
  const mayLose = flushes + failOvers < most.losses
  const lost = { made: 0, found: world.found && revoked, pursuit: afterLoss(world.pursuit) }
  if (mayLose && flushes < most.flushes && hot) {
    const flushed = { ...world, ...lost, hot: undefined, flushes: flushes + 1 }
    yield { step: { do: 'lose everything' }, world: flushed }
  }
  if (failOvers === most.failOvers || !mayLose || isSame(hot, replica)) return
  yield { step: { do: 'replicate' }, world: { ...world, replica: hot } }
  const back = revoked && rules.closingAgain ? undefined : replica
  yield {
    step: { do: 'fail over' },
    world: { ...world, ...lost, hot: back, failOvers: failOvers + 1 },
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
  const [issued, made] = [
    Math.max(world.issued, hot.generation),
    Math.max(world.made, hot.generation),
  ]
  yield {
    step: { do: 'open', who, generation, key } as const,
    world: { ...world, hot, issued, made },
  }
}

function presented(world: World, setting: Setting, who: string, generation: number, key: string) {
  const answer = present(world.hot, world, generation, key, setting.rules)
  const step = { do: 'present', who, generation, key, answer } as const
  const served = isServed(answer)
  const followed = setting.thief
    ? afterRefresh(world.pursuit, who, generation, served)
    : world.pursuit
  const found = world.found || answer.outcome === 'reused'
  const made = answer.isNew ? generation + 1 : (answer.reopenedAt ?? 0)
  const after = {
    ...world,
    hot: answer.hot,
    found,
    issued: Math.max(world.issued, made),
    made: Math.max(world.made, made),
    // The pursuit is over; should the finding be lost, it starts anew.
    pursuit: found ? afterLoss(followed) : followed,
  }
  return { step, answer, world: after, broken: brokenBy(world, after, step) }
}

/** What a presented token and its answer say about the promises. */
function brokenBy(world: World, after: World, { answer, generation }: Step & { do: 'present' }) {
  const served = isServed(answer)
  const isHonest = world.pursuit.stolen === 0
  if (isHonest && answer.outcome === 'reused') return 'an honest client is judged a thief'
  if (!served && isHonest && !world.revoked) return 'an honest client is logged out'
  if (answer.isNew && generation + 1 <= world.made) return 'a generation has two successors'
  if (served && world.closed) return 'a revoked session is served'
  if (served && world.found) return 'a session is served after a spent token was found'
  const isFarBehind = answer.reopenedAt !== undefined && generation + 1 < world.checkpoint
  if (served && isFarBehind) return 'a re-opening forgets what the checkpoint has seen'
  if (after.pursuit.escaped) return 'thief and victim both go on'
  return undefined
}

function older(world: World): World {
  const age = <T extends Hot | undefined>(hot: T): T =>
    hot && { ...hot, age: Math.min(hot.age + 1, LATER) }
  const { pursuit } = world
  const { victim, thief, ahead } = pursuit
  return {
    ...world,
    hot: age(world.hot),
    replica: age(world.replica),
    trying: world.trying.map(since),
    pursuit: { ...pursuit, victim: since(victim), thief: since(thief), ahead: since(ahead) },
  }
}

function since(age: number): number {
  return age === NEVER ? NEVER : Math.min(age + 1, LATER)
}

function isSame(one: Hot | undefined, other: Hot | undefined): boolean {
  return one?.generation === other?.generation && one?.age === other?.age && one?.key === other?.key
}
