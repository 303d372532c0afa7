import { span } from './dom.js'

/** The texts that say what just happened. Each has a title and a few sentences. */

const NAMES = { you: 'You', thief: 'The thief' }

const story = (title, ...sentences) => ({ title, text: sentences.join(' ') })

export function describeStart() {
  return story(
    'Generation 1',
    'You hold the first refresh token of a new session.',
    'The server remembers one number for the session, which is now 1, and no list of tokens.',
  )
}

export function describeCopy(generation) {
  return story(
    `Somebody copied generation ${generation}`,
    'Nothing is visible yet, because a copy is as good as the original.',
    'The theft shows as soon as both of you go on.',
  )
}

export function describeRefresh(
  name,
  { outcome, generation, newest, age, status },
  { grace, isRetry },
) {
  const who = NAMES[name]
  const holds = name === 'you' ? 'you still hold' : 'the thief still holds'
  const ago = generation === newest - 1 ? `${span(age)} ago` : 'long ago'
  switch (outcome) {
    case 'rotated':
      return story(
        `One notch forward: generation ${generation + 1}`,
        `${who} presented generation ${generation}, which is now spent.`,
        `For ${span(grace)} the server still returns the same successor for it,`,
        'because two tabs may refresh at once.',
      )
    case 'lost':
      return story(
        'The response was lost',
        `The server turned to generation ${generation + 1}, but ${holds} generation ${generation},`,
        'which is spent. If the same attempt is repeated with its key, the server repeats the',
        'response.',
      )
    case 'replayed':
      return isRetry
        ? story(
            `Same attempt, same response: generation ${newest}`,
            `Generation ${generation} was spent ${span(age)} ago, but only the client that made`,
            'the attempt knows its key. So a lost response can be repaired at any time, and',
            'nothing turns.',
          )
        : story(
            `Generation ${generation} again, within the grace period`,
            `${who} presented it ${span(age)} after it was spent. It could be a second tab, so the`,
            `server returns generation ${newest} once more. Both get the same token, never two`,
            'different ones.',
          )
    case 'reused':
      return story(
        'Theft detected',
        `Generation ${generation} was spent ${ago}, and now somebody presents it again.`,
        'So two people hold a copy. The session ends for both, and its access tokens are revoked.',
      )
    case 'refused':
      return story('Refused', 'The session has ended, so none of its tokens is accepted any more.')
    default:
      return describeUnavailable(status)
  }
}

export function describeUnavailable(status) {
  if (status === 429) return story('Too many requests', 'The rate limit is reached. Wait a moment.')
  return story(
    'No response',
    'The server cannot be reached, or it is unavailable at the moment. Nothing has changed.',
  )
}

export function describeApiCall(name, status) {
  const who = NAMES[name]
  if (status === 200)
    return story(
      'Access granted',
      `${who} presented the access token. The server checked its signature and a map in memory.`,
      'It called neither Postgres nor Redis.',
    )
  if (status !== 401) return describeUnavailable(status)
  return story('Access denied', `${who} presented an access token that is revoked or expired.`)
}

export function describeEnd(reason, name) {
  if (reason === 'logout')
    return story(
      'Logged out',
      `${NAMES[name]} ended the session. Its tokens are revoked at once,`,
      name === 'thief' ? 'yours too.' : 'and so are all copies.',
    )
  return story(
    'Ended elsewhere',
    'Another device ended this session, or the session expired.',
    'Its access token was revoked before its time.',
  )
}

/** Returns what the user can try next. The text counts the grace period down. */
export function advise({ state }) {
  const { newest, ended, holders, grace } = state
  const [you, thief] = [holders.get('you'), holders.get('thief')]
  if (!you) return ''
  if (ended === 'theft') return REFUSED_WITHOUT_REASON
  if (ended) return 'Sign in again to start another session.'
  const left = state.graceLeft()
  const wait = span(Math.ceil(left / 1000) * 1000)
  const behind = [you, thief].find((holder) => holder && holder.generation < newest)
  if (behind) {
    const isWithinGrace = left > 0 && behind.generation === newest - 1
    return adviseHolderBehind(behind, isWithinGrace, wait)
  }
  if (thief) return `Both hold generation ${newest}. Refresh as one of the two.`
  if (newest === 1) return 'Press Refresh and watch the wheel.'
  const spent = `generation ${newest - 1}`
  return left > 0
    ? `For ${wait} more, the server would return generation ${newest} again for ${spent}.`
    : `The grace period of ${span(grace)} is over. If anybody presents ${spent} now, the ` +
        'theft is detected. Steal the token and try it.'
}

const REFUSED_WITHOUT_REASON =
  'The server responded with 401 and gave no reason. ' +
  'The reason is in its log and in the security events.'

function adviseHolderBehind({ name, hasLostResponse }, isWithinGrace, wait) {
  if (hasLostResponse)
    return isWithinGrace
      ? `Retry with its key. For ${wait} more, a plain refresh would work as well. ` +
          'Later it would look like theft.'
      : 'Retry with its key. A plain refresh would look like theft now, ' +
          'because the server could not tell you from a thief.'
  const who = name === 'you' ? 'You are' : 'The thief is'
  const holder = name === 'you' ? 'you' : 'the thief'
  return isWithinGrace
    ? `${who} one generation behind. For ${wait} more, the grace period allows ${holder} a ` +
        'refresh. After that, the same refresh counts as theft.'
    : `${who} behind, and the grace period is over. Refresh as ${holder} and see what happens.`
}
