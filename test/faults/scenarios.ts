import type { Fault } from './fault.ts'
import { CLUSTER } from './topologies/cluster.ts'
import { GUESSES } from './topologies/guesses.ts'
import { MAIL } from './topologies/mail.ts'
import { REPLICATED_CLUSTER } from './topologies/replicated-cluster.ts'
import { SECURE_SENTINEL, SENTINEL } from './topologies/sentinel.ts'
import { SINGLE } from './topologies/single.ts'
import type { Topology } from './topology.ts'

/** A fault on a topology: what a trial runs. */
export interface Scenario {
  topology: Topology
  fault: Fault
}

const TOPOLOGIES: readonly Topology[] = [
  SINGLE,
  SENTINEL,
  SECURE_SENTINEL,
  CLUSTER,
  REPLICATED_CLUSTER,
  MAIL,
  GUESSES,
]

const ALL: readonly Scenario[] = TOPOLOGIES.flatMap((topology) =>
  topology.faults.map((fault) => ({ topology, fault })),
)

const unique = (names: readonly string[]) => [...new Set(names)]

export const TOPOLOGY_NAMES = TOPOLOGIES.map(({ name }) => name)
export const FAULT_NAMES = unique(ALL.map(({ fault }) => fault.name))

/**
 * Returns the scenarios with these topologies and faults, or with all of them if none is named.
 * Throws if there is no such scenario.
 */
export function scenarios(
  topologies: readonly string[] = [],
  faults: readonly string[] = [],
): Scenario[] {
  const isChosen = (name: string, chosen: readonly string[]) =>
    chosen.length === 0 || chosen.includes(name)
  const found = ALL.filter(
    ({ topology, fault }) => isChosen(topology.name, topologies) && isChosen(fault.name, faults),
  )
  const isUnknown = (name: string) =>
    !found.some(({ topology, fault }) => [topology.name, fault.name].includes(name))
  const unknown = [...topologies, ...faults].filter(isUnknown)
  if (unknown.length > 0) throw new Error(`There is no scenario with ${unknown.join(', ')}`)
  return found
}
