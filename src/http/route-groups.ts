/** The groups of routes, each of which an application may leave out. */
const ROUTE_GROUPS = [
  'login',
  'admin',
  'oauth',
  'service',
  'discovery',
  'health',
  'metrics',
] as const
export type RouteGroup = (typeof ROUTE_GROUPS)[number]

/** Routes that only the server of the package has, so that an application need not turn them off. */
const SERVER_ONLY = ['playground', 'openapi'] as const

/** Which routes to mount: all that are not named here with `false`. */
export type RouteChoice = {
  [Group in RouteGroup | (typeof SERVER_ONLY)[number]]?: boolean | undefined
}

/** Returns whether each group is mounted. Throws a `TypeError` for a group that does not exist. */
export function readRouteChoice(choice: RouteChoice = {}): Record<RouteGroup, boolean> {
  const known: readonly string[] = [...ROUTE_GROUPS, ...SERVER_ONLY]
  for (const [name, isOn] of Object.entries(choice)) {
    if (!known.includes(name))
      throw new TypeError(`pawl: routes.${name} does not exist. There are ${known.join(', ')}.`)
    if (isOn !== undefined && typeof isOn !== 'boolean')
      throw new TypeError(`pawl: routes.${name} must be true or false.`)
  }
  const entries = ROUTE_GROUPS.map((group) => [group, choice[group] ?? true])
  return Object.fromEntries(entries) as Record<RouteGroup, boolean>
}

/** Returns the group of a route by its path, or undefined if it cannot be left out. */
export function groupOf(path: string): RouteGroup | undefined {
  if (/^\/auth\/(signup|login|password|reauthenticate|email)(\/|$)/.test(path)) return 'login'
  if (path === '/metrics') return 'metrics'
  const [, first = ''] = path.split('/')
  if (first === '.well-known') return 'discovery'
  return ROUTE_GROUPS.find((group) => group === first)
}
