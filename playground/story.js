import { span } from './dom.js'

/** What just happened, in a line and a sentence or two. Who did it: `you` or `thief`. */
const NAME = { you: 'You', thief: 'The thief' }

export const BEGUN = {
  title: 'Generation 1',
  text: 'You hold the first refresh token of a new session. To tell it from all that follow, the server remembers a number, 1, and no list.',
}

export const STOLEN = (generation) => ({
  title: `Somebody copied generation ${generation}`,
  text: 'Nothing shows yet: a copy is as good as the original. It shows as soon as both of you go on.',
})

export function refreshed(name, { outcome, generation, newest, age, status }, { grace, again }) {
  const who = NAME[name]
  switch (outcome) {
    case 'turned':
      return {
        title: `One notch forward: generation ${generation + 1}`,
        text: `${who} presented generation ${generation}, which is spent by that. For ${span(grace)} it would still be answered, with the same successor: two tabs may refresh at once.`,
      }
    case 'lost':
      return {
        title: 'The answer got lost in a tunnel',
        text: `The server turned to generation ${generation + 1}, and ${name === 'you' ? 'you still hold' : 'the thief still holds'} ${generation}, which is spent. The same attempt again, with its key, is answered again.`,
      }
    case 'replayed':
      return again
        ? {
            title: `Same attempt, same answer: generation ${newest}`,
            text: `Generation ${generation} was spent ${span(age)} ago, but only who made the attempt knows its key. A lost answer is repaired, however late, and nothing turns.`,
          }
        : {
            title: `Generation ${generation} again, within the grace`,
            text: `${who} presented it ${span(age)} after it was spent. It could be a second tab, so the answer is generation ${newest} once more: the same line for both, never two.`,
          }
    case 'reused':
      return {
        title: 'Theft found',
        text: `Generation ${generation} was spent${generation === newest - 1 ? ` ${span(age)} ago` : ' long since'}. Somebody presents it again: one of two people has a copy. The session ends for both, access tokens included.`,
      }
    case 'dead':
      return {
        title: 'Refused',
        text: 'The session has ended: no token of it is good for anything any more.',
      }
    default:
      return unavailable(status)
  }
}

export function unavailable(status) {
  if (status === 429)
    return { title: 'Too fast', text: 'The rate limit is reached. Wait a moment.' }
  return {
    title: 'No answer',
    text: 'The server cannot be reached, or cannot know right now. Nothing has changed.',
  }
}

export function asked(name, status) {
  const who = NAME[name]
  if (status === 200) {
    const text = `${who} showed the access token. The server checked its signature and a map in memory: no database, no Redis.`
    return { title: 'Let in', text }
  }
  if (status !== 401) return unavailable(status)
  return { title: 'Not let in', text: `${who} showed an access token that is dead or out of time.` }
}

export const ENDED = {
  logout: (name) => ({
    title: 'Logged out',
    text: `${NAME[name]} ended the session. Its tokens are dead at once${name === 'thief' ? ', for you too' : ', copies of them too'}.`,
  }),
  elsewhere: () => ({
    title: 'Ended from elsewhere',
    text: 'Another device ended this session, or it ran out of time. Its access token died with it, before its time.',
  }),
}

/** What to try next; it counts the seconds of the grace down. */
export function advice({ state }) {
  const { newest, ended, holders, grace } = state
  const [you, thief] = [holders.get('you'), holders.get('thief')]
  if (!you) return ''
  if (ended === 'theft')
    return 'Whoever presented the token was told 401 and no more. The reason is in the log and in the security events.'
  if (ended) return 'Sign in again to begin another session.'
  const left = state.graceLeft()
  const wait = span(Math.ceil(left / 1000) * 1000)
  const behind = [you, thief].find((holder) => holder && holder.generation < newest)
  const served = left > 0 && behind?.generation === newest - 1
  if (behind?.lost)
    return served
      ? `Retry with its key. For ${wait} more a plain refresh would do as well; later it would look like theft.`
      : 'Retry with its key. A plain refresh would be taken for theft now: the server could not tell you from a thief.'
  if (behind) {
    const who = behind === you ? 'You are' : 'The thief is'
    const name = behind === you ? 'you' : 'the thief'
    return served
      ? `${who} one behind. Within the grace, ${wait} more, ${name} would be served. After it, the same refresh is theft found.`
      : `${who} behind and the grace is over. Refresh as ${name}, and see what is found.`
  }
  if (thief) return `Both hold generation ${newest}. Refresh as one of the two.`
  if (newest === 1) return 'Press Refresh, and watch the wheel.'
  return left > 0
    ? `Generation ${newest - 1} is spent. For ${wait} more it would be answered with generation ${newest} again.`
    : `The grace of ${span(grace)} is over: generation ${newest - 1} is a trap for whoever presents it. Steal the token and try.`
}
