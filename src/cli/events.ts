import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { validate } from 'uuid'
import { parseDuration } from '../config/duration.ts'
import { EVENT_TYPES } from '../events/event-types.ts'
import { Moment } from '../schemas/events.ts'
import { json, parseLimit } from './arguments.ts'
import { type ListOptions, listEvents, type Time } from './events-list.ts'
import { parseUser } from './lookup.ts'
import { parseSessionPrefix, SHORTEST_PREFIX } from './session-prefix.ts'
import type { Terminal } from './terminal.ts'

const HELP = `
A time is like 2026-01-31T12:00:00Z, or 2026-01-31 for when that day begins (UTC), or 24h for as long ago as that.
The table shows the most important; --json has all that is known.`

/** `pawl events …`: what is on record. */
export function addEvents(program: Command, terminal: Terminal): void {
  const events = program.command('events').description('look at the security events')
  events
    .command('list')
    .description('show what happened, the newest first')
    .option(
      '--user <user>',
      'about this user: e-mail address, or id also of one who is deleted',
      parseUser,
    )
    .option(
      '--session <session>',
      `about this session: its id, or the first ${SHORTEST_PREFIX} characters or more`,
      parseSessionPrefix,
    )
    .addOption(new Option('--type <type>', 'of this type').choices(EVENT_TYPES))
    .option('--since <time>', 'not before', parseTime)
    .option('--until <time>', 'before, and not at', parseTime)
    .option('--limit <n>', 'so many at most', parseLimit, 100)
    .option('--after <event>', 'only those after this one in the list: its id', parseEventId)
    .addOption(json())
    .addHelpText('after', HELP)
    .action((options: ListOptions) => listEvents(terminal, options))
}

function parseTime(text: string): Time {
  const ms = parseDuration(text)
  if (ms !== undefined) return (now) => Math.max(now - ms, 0)
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
  if (!Value.Check(Moment, moment))
    throw new InvalidArgumentError('It is no time like 2026-01-31T12:00:00Z, 2026-01-31 or 24h.')
  return () => Date.parse(moment)
}

/** Those of events, and no others, are ordered as the list is. */
function parseEventId(text: string): string {
  if (validate(text)) return text.toLowerCase()
  throw new InvalidArgumentError('It is not the id of an event.')
}
