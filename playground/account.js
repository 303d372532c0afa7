/**
 * Credentials: made up for a first look, and handed to a second tab that this one opens. They stay in the memory of pages
 * of this origin, as the tokens do.
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

export function madeUp() {
  const number = random(4)
    .map((byte) => byte.toString(36).padStart(2, '0'))
    .join('')
  const words = random(5).map((byte) => WORDS[byte % WORDS.length])
  return {
    email: `ada.${number}@example.com`,
    password: `${words.join(' ')} ${number.slice(0, 3)}`,
  }
}

/** Answer a new tab that asks whose device it is. */
export function lend(account) {
  channel.onmessage = ({ data }) => {
    if (data === 'who?' && account()) channel.postMessage(account())
  }
}

/** Ask the tab that opened this one. Undefined where nobody answers. */
export function borrow() {
  return new Promise((resolve) => {
    channel.onmessage = ({ data }) => data.email && resolve(data)
    channel.postMessage('who?')
    setTimeout(resolve, 1000)
  })
}
