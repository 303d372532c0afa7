import { createClient } from '/pawl-client/index.js'

const MESSAGES = {
  refused: 'You are not signed in: the provider refused.',
  failed: 'You are not signed in. Please try again.',
  'email-taken': 'Another account has your e-mail address.',
}

const auth = createClient({ baseUrl: '/' })
const element = (id) => document.getElementById(id)
const say = (text = '') => {
  element('message').textContent = text
}

async function show() {
  const response = (await auth.token()) && (await auth.fetch('/api/me'))
  const isSignedIn = response?.ok ?? false
  if (isSignedIn) element('me').textContent = JSON.stringify(await response.json(), null, 2)
  element('signed-in').hidden = !isSignedIn
  element('signed-out').hidden = isSignedIn
}

element('sign-out').onclick = () => auth.logout().catch(() => say('Please try again.'))

element('payout').onclick = async () => {
  const response = await auth.fetch('/api/payout', { method: 'POST' })
  const { code } = await response.json()
  // The login is too long ago, so the provider asks the user again.
  if (code === 'AUTH_REAUTHENTICATION_REQUIRED') location.href = '/sign-in?recent'
  else say(response.ok ? 'Paid.' : 'Please try again.')
}

const result = new URLSearchParams(location.search).get('sign-in')
history.replaceState(null, '', '/')
// The redirect has set the cookie. The client does not know of it until it is asked to look.
if (result === 'done') await auth.signIn('refresh').catch(() => say(MESSAGES.failed))
else say(MESSAGES[result])
auth.onChange(() => show().catch(() => say('Please try again.')))
await show()
