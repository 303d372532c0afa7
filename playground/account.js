/**
 * The credentials of the account. They are generated for a first look, and passed to a second tab.
 * Like the tokens, they are only in the memory of pages of this origin.
 */
const channel = new BroadcastChannel('pawl-playground')
const WORDS = [
  'turn',
  'tooth',
  'wheel',
  'brass',
  'click',
  'notch',
  'spring',
  'gear',
  'escape',
  'bell',
  'winch',
  'clock',
]

function random(count) {
  return [...crypto.getRandomValues(new Uint8Array(count))]
}

export function generateCredentials() {
  const number = random(4)
    .map((byte) => byte.toString(36).padStart(2, '0'))
    .join('')
  const words = random(5).map((byte) => WORDS[byte % WORDS.length])
  return {
    email: `ada.${number}@example.com`,
    password: `${words.join(' ')} ${number.slice(0, 3)}`,
  }
}

/** Passes the account to tabs that ask for it. */
export function shareAccount(getAccount) {
  channel.onmessage = ({ data }) => {
    if (data === 'account?' && getAccount()) channel.postMessage(getAccount())
  }
}

/** Asks the tab that opened this one for the account. Resolves with undefined after a second. */
export function requestAccount() {
  return new Promise((resolve) => {
    channel.onmessage = ({ data }) => data.email && resolve(data)
    channel.postMessage('account?')
    setTimeout(resolve, 1000)
  })
}
