import { button, h } from './dom.js'

/**
 * Creates the list of the account's sessions. The page polls it, so sessions that end elsewhere
 * disappear here.
 * @param {{ root: HTMLElement, list: HTMLElement, note: HTMLElement }} parts
 * @param {(id: string) => Promise<void>} end
 */
export function createSessions({ root, list, note }, end) {
  let lastShown = ''
  let isMissing = false

  function row(session) {
    const { id, current, createdAt, device, userAgent, ip } = session
    const name = device ?? deviceOf(userAgent)
    const since = new Date(createdAt).toLocaleTimeString([], {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    const facts = `since ${since}${ip ? ` · ${ip}` : ''} · ${id.slice(-6)}`
    const endButton = button('End', () => end(id), 'quiet end')
    endButton.setAttribute('aria-label', `End the session of ${name} since ${since}`)
    return h(
      'li',
      {},
      h(
        'span',
        { className: 'device' },
        name,
        current ? h('span', { className: 'badge' }, 'this one') : '',
      ),
      h('span', { className: 'facts' }, facts),
      endButton,
    )
  }

  function show(sessions) {
    const now = JSON.stringify(sessions.map(({ id, current }) => [id, current]))
    if (now === lastShown) return
    lastShown = now
    list.replaceChildren(...sessions.map(row))
    note.textContent =
      sessions.length > 1
        ? 'End one here, and watch it end there within seconds.'
        : 'Each login starts its own session. Open a second device: a new tab that signs in as you.'
  }

  return {
    /** Returns the path to poll for whether the session is live. */
    path: () => (isMissing ? '/auth/me' : '/auth/sessions'),

    /** @param {import('./api.js').Exchange} exchange */
    update({ path, status, result }) {
      root.hidden = false
      if (path !== '/auth/sessions') return
      if (status === 200) show(result.sessions)
      if (status === 404) {
        isMissing = true
        note.textContent = 'This server does not list sessions. You can still open a second device.'
      }
    },

    close() {
      lastShown = ''
      list.replaceChildren()
      note.textContent = 'You are signed out. Only a user with a session can see the list.'
    },
  }
}

function deviceOf(userAgent) {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent ?? '')?.[1] ?? 'Unknown device'
  const system = /(Android|iPhone|iPad|Windows|Mac OS|Linux)/.exec(userAgent ?? '')?.[1]
  return system ? `${browser} on ${system}` : browser
}
