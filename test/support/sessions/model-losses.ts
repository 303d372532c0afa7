/** The steps by which either store loses what it knew, or the clock is set back. */
import { type HotSession, PAST_GRACE } from './model.ts'
import { afterLoss } from './model-detection.ts'
import type { Loss, Server, Setting, Transition, World } from './model-world.ts'

/** Ticks by which the clock is set back: more than the grace. */
export const SET_BACK_BY = 3

const NOTHING: Server = { hot: undefined, published: false }
const NO_ROW = { checkpoint: 0, revoked: false }

export function* lossSteps(world: World, setting: Setting): Generator<Transition> {
  for (const next of anyLoss(world, setting))
    yield { ...next, world: forgetUseless(next.world, setting) }
}

function mayLose(kind: Loss, { lost }: World, setting: Setting): boolean {
  const total = Object.values(lost).reduce((sum, times) => sum + times)
  return total < setting.losses && lost[kind] < setting[kind]
}

/** Forgets what no later loss can restore, so that fewer states differ. */
function forgetUseless(world: World, setting: Setting): World {
  const mayFailOver = mayLose('failOvers', world, setting)
  const mayReturn = mayLose('returns', world, setting)
  return {
    ...world,
    replica: mayFailOver ? world.replica : NOTHING,
    former: mayReturn ? world.former : undefined,
    rowReplica: mayLose('rowLosses', world, setting) ? world.rowReplica : NO_ROW,
  }
}

function* anyLoss(world: World, setting: Setting): Generator<Transition> {
  const may = (kind: Loss) => mayLose(kind, world, setting)
  if (may('flushes') && world.hot) yield flush(world)
  if (may('failOvers')) yield* failOver(world, setting)
  if (may('returns') && world.former) yield returnToFormer(world, world.former, setting)
  if (may('rowLosses')) yield* failOverPostgres(world, setting)
  if (may('setBacks')) yield setBack(world, setting)
}

/** Returns what every loss of hot state changes. */
function afterLossOf(kind: Loss, world: World): World {
  return {
    ...world,
    lost: count(kind, world),
    issuedSinceLoss: 0,
    sinceRotation: 0,
    theftFound: world.theftFound && world.revoked,
    detection: afterLoss(world.detection),
  }
}

const count = (kind: Loss, { lost }: World) => ({ ...lost, [kind]: lost[kind] + 1 })

function flush(world: World): Transition {
  const after = { ...afterLossOf('flushes', world), hot: undefined, published: world.revoked }
  return { step: { do: 'lose everything' }, world: after }
}

function* failOver(world: World, { rules }: Setting): Generator<Transition> {
  const { hot, published, replica, revoked } = world
  if (isSame(world, replica)) return
  yield { step: { do: 'replicate' }, world: { ...world, replica: { hot, published } } }
  const restored = {
    hot: stale(replica.hot, rules.eras),
    published: replica.published || revoked,
    former: { hot, published },
  }
  yield {
    step: { do: 'fail over' },
    world: { ...afterLossOf('failOvers', world), ...restored },
  }
}

function returnToFormer(world: World, former: Server, { rules }: Setting): Transition {
  const { hot, published, revoked } = world
  const restored = {
    hot: stale(former.hot, rules.eras && rules.orderedEras),
    published: former.published || revoked,
    former: { hot, published },
  }
  return {
    step: { do: 'return to the former server' },
    world: { ...afterLossOf('returns', world), ...restored },
  }
}

function* failOverPostgres(world: World, { rules }: Setting): Generator<Transition> {
  const { checkpoint, revoked, rowReplica, published } = world
  if (checkpoint === rowReplica.checkpoint && revoked === rowReplica.revoked) return
  const current = { checkpoint, revoked }
  yield { step: { do: 'replicate Postgres' }, world: { ...world, rowReplica: current } }
  const restored = {
    checkpoint: rowReplica.checkpoint,
    revoked: rowReplica.revoked || (rules.postgresIsHealed && published),
  }
  yield {
    step: { do: 'fail over Postgres' },
    world: { ...world, ...restored, lost: count('rowLosses', world) },
  }
}

function setBack(world: World, { rules }: Setting): Transition {
  const { replica, former, detection } = world
  function earlier(hot: HotSession | undefined): HotSession | undefined {
    if (!hot) return hot
    if (!rules.setBackIsNoticed) return { ...hot, age: hot.age - SET_BACK_BY - PAST_GRACE }
    if (rules.eraAfterSetBack) return { ...hot, age: 0, isStale: true }
    return { ...hot, age: 0, recurs: SET_BACK_BY }
  }
  return {
    step: { do: 'set the clock back' },
    world: {
      ...world,
      hot: earlier(world.hot),
      replica: { ...replica, hot: earlier(replica.hot) },
      former: former && { ...former, hot: earlier(former.hot) },
      lost: count('setBacks', world),
      sinceRotation: 0,
      detection: afterLoss(detection),
    },
  }
}

function stale(hot: HotSession | undefined, isNoticed: boolean): HotSession | undefined {
  return hot && { ...hot, isStale: hot.isStale || isNoticed }
}

function isSame(one: Server, other: Server): boolean {
  const properties = ['generation', 'age', 'key', 'isStale', 'recurs'] as const
  return (
    one.published === other.published &&
    properties.every((property) => one.hot?.[property] === other.hot?.[property])
  )
}
