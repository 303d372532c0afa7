import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { validate } from 'uuid'
import { parseDuration } from '../config/duration.ts'
import { EVENT_TYPES } from '../events/event-types.ts'
import { Moment } from '../schemas/events.ts'
import { json, limit, parseSessionPrefix, parseUser, SESSION } from './arguments.ts'
import { type ListOptions, listEvents, type Time } from './events-list.ts'
import type { Terminal } from './terminal.ts'

const HELP = `
A time is like 2026-01-31T12:00:00Z, or 2026-01-31 for the start of that day
(UTC), or 24h for 24 hours ago.
The table shows the most important details, and --json shows all of them.`

/** Adds `pawl events …`. */
export function addEvents(program: Command, terminal: Terminal): void {
  const events = program.command('events').description('list security events')
  events
    .command('list')
    .description('list what happened, the newest first')
    .option(
      '--user <user>',
      'about this user: e-mail address, or id, also of a deleted user',
      parseUser,
    )
    .option('--session <session>', `about this session: ${SESSION}`, parseSessionPrefix)
    .addOption(new Option('--type <type>', 'of this type').choices(EVENT_TYPES))
    .option('--since <time>', 'at this time or later', parseTime)
    .option('--until <time>', 'before this time', parseTime)
    .addOption(limit())
    .option('--after <event>', 'start after the event with this id', parseEventId)
    .addOption(json())
    .addHelpText('after', HELP)
    .action((options: ListOptions) => listEvents(terminal, options))
}

function parseTime(text: string): Time {
  const ms = parseDuration(text)
  if (ms !== undefined) return (now) => Math.max(now - ms, 0)
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
  if (!Value.Check(Moment, moment))
    throw new InvalidArgumentError(
      'It must be a time like 2026-01-31T12:00:00Z, a day like 2026-01-31, or a duration like 24h.',
    )
  return () => Date.parse(moment)
}

function parseEventId(text: string): string {
  if (validate(text)) return text.toLowerCase()
  throw new InvalidArgumentError('It must be the id of an event.')
}
