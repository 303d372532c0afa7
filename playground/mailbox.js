import { generateCredentials } from './account.js'
import { button, byId, h } from './dom.js'

/** Milliseconds between two looks for new mails. */
const POLL_INTERVAL = 1_500

/** The texts that say what a link of a mail did, by its purpose. */
const DONE = {
  'verify-address': {
    title: 'Address verified',
    text: 'The link proved that you receive mails at this address. It cannot be used twice.',
  },
  'change-address': {
    title: 'Address changed',
    text: 'The new address is in force. A notice went to the old one.',
  },
  'reset-password': {
    title: 'New password, every session ended',
    text:
      'All devices are signed out, a thief too, and their access tokens are refused at once. ' +
      'A notice is in the mailbox.',
  },
}

const VOID_LINK = {
  title: 'This link is void',
  text: 'It was used, it is too old, or a later mail or a new password has replaced it.',
}

/**
 * Creates the mailbox: the mails that this server would send, with their links at work.
 * @param {(call: import('./api.js').Call) => Promise<import('./api.js').Exchange>} call
 * @param {{ tell: (story: { title: string, text: string }) => void, email: () => string,
 *   onNewPassword: (password: string) => void }} page
 */
export function createMailbox(call, { tell, email, onNewPassword }) {
  const form = byId('new-password')
  const problem = byId('new-password-problem')
  let lastShown = ''
  let token = ''

  const post = (path, body) => call({ who: 'you', method: 'POST', path, body })

  function report(purpose, { status, result }) {
    if (status === 204) tell(DONE[purpose])
    else if (result?.code === 'AUTH_CODE_INVALID') tell(VOID_LINK)
    else tell({ title: 'Not done', text: result?.detail ?? result?.title ?? 'Try again.' })
    byId('traffic').hidden = false
  }

  async function open(link) {
    const parameters = new URLSearchParams(new URL(link).hash.slice(1))
    token = parameters.get('token') ?? ''
    const purpose = parameters.get('purpose') ?? ''
    if (purpose !== 'reset-password')
      return report(purpose, await post('/auth/email/verify', { token }))
    form.hidden = false
    form.elements.password.value = generateCredentials().password
    form.elements.password.focus()
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    problem.textContent = ''
    const newPassword = form.elements.password.value
    const exchange = await post('/auth/password/reset', { token, newPassword })
    if (exchange.result?.code === 'AUTH_PASSWORD_REJECTED') {
      problem.textContent = exchange.result.detail
      return
    }
    form.hidden = true
    report('reset-password', exchange)
    if (exchange.status === 204) onNewPassword(newPassword)
    await poll()
  })

  function row({ subject, to, at, text, link }) {
    const time = new Date(at).toLocaleTimeString()
    const use = link ? [button('Use the link', () => open(link), 'quiet')] : []
    if (link) use[0].setAttribute('aria-label', `Use the link of “${subject}” of ${time}`)
    return h(
      'li',
      {},
      h('span', { className: 'device' }, subject),
      h('span', { className: 'facts' }, `to ${to} · ${time}`),
      ...use,
      h('details', {}, h('summary', {}, 'Text of the mail'), h('pre', { tabIndex: 0 }, text)),
    )
  }

  async function poll() {
    const response = await fetch('playground/mails.json', { cache: 'no-store' }).catch(() => null)
    if (!response?.ok) return
    const mails = await response.json()
    const shown = mails.map(({ id, at }) => `${id} ${at}`).join()
    if (shown === lastShown) return
    lastShown = shown
    byId('mails').replaceChildren(...mails.map(row))
  }

  return {
    start() {
      byId('mailbox').hidden = false
      byId('mailbox-actions').append(
        button('Forget the password', async () => {
          const { status } = await post('/auth/password/forgot', { email: email() })
          byId('traffic').hidden = false
          if (status === 202)
            tell({
              title: 'A mail is on its way',
              text:
                'If there is an account with this address, its mailbox gets a link. ' +
                'The response is the same if there is none.',
            })
        }),
      )
      setInterval(() => document.hidden || poll(), POLL_INTERVAL)
      return poll()
    },
  }
}
