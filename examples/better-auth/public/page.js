import { createClient } from '/pawl-client/index.js'

const auth = createClient({ baseUrl: '/' })
const element = (id) => document.getElementById(id)
const say = (text = '') => {
  element('message').textContent = text
}

/** Signs in with better-auth, and exchanges its session for one of Pawl. */
async function signIn(action, { email, password }) {
  const response = await fetch(`/api/auth/${action}/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, ...(action === 'sign-up' && { name: email }) }),
  })
  const { message } = await response.json()
  if (!response.ok) return say(message)
  say()
  await auth.signIn('../api/session', {})
}

async function show() {
  const response = (await auth.token()) && (await auth.fetch('/api/me'))
  const isSignedIn = response?.ok ?? false
  if (isSignedIn) element('me').textContent = JSON.stringify(await response.json(), null, 2)
  element('signed-in').hidden = !isSignedIn
  element('signed-out').hidden = isSignedIn
}

const tryAgain = () => say('Please try again.')

element('signed-out').onsubmit = (event) => {
  event.preventDefault()
  const fields = Object.fromEntries(new FormData(event.target))
  signIn(event.submitter.value, fields).catch(tryAgain)
}
element('sign-out').onclick = () => auth.logout().catch(tryAgain)
auth.onChange(() => show().catch(tryAgain))
await show()
