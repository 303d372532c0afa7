import { button, h } from './dom.js'

/**
 * The account's sessions, asked for again and again while somebody looks: what is ended elsewhere shows here.
 * @param {{ root: HTMLElement, list: HTMLElement, note: HTMLElement }} parts
 * @param {(id: string) => Promise<void>} end
 */
export function createSessions({ root, list, note }, end) {
  let shown = ''
  let missing = false

  function row(session) {
    const { id, current, createdAt, device, userAgent, ip } = session
    const name = device ?? deviceOf(userAgent)
    const since = new Date(createdAt).toLocaleTimeString([], {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    const ending = button('End', () => end(id), 'quiet end')
    ending.setAttribute('aria-label', `End the session of ${name} since ${since}`)
    return h(
      'li',
      {},
      h(
        'span',
        { className: 'device' },
        name,
        current ? h('span', { className: 'badge' }, 'this one') : '',
      ),
      h('span', { className: 'facts' }, `since ${since}${ip ? ` · ${ip}` : ''} · ${id.slice(-6)}`),
      ending,
    )
  }

  function show(sessions) {
    const now = JSON.stringify(sessions.map(({ id, current }) => [id, current]))
    if (now === shown) return
    shown = now
    list.replaceChildren(...sessions.map(row))
    note.textContent =
      sessions.length > 1
        ? 'End one here, and see it fall out there within a second.'
        : 'Each login is a session of its own. Open a second device: a new tab, signed in as you.'
  }

  return {
    /** The path to ask for, whether the session lives: the list where the server has one. */
    path: () => (missing ? '/auth/me' : '/auth/sessions'),

    /** @param {import('./api.js').Exchange} exchange */
    heard({ path, status, answer }) {
      root.hidden = false
      if (path !== '/auth/sessions') return
      if (status === 200) show(answer.sessions)
      if (status === 404) {
        missing = true
        note.textContent =
          'This server does not list sessions. A second device works all the same: log out there or here.'
      }
    },

    over() {
      shown = ''
      list.replaceChildren()
      note.textContent = 'You are out: only who has a session may see the others.'
    },
  }
}

function deviceOf(userAgent) {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent ?? '')?.[1] ?? 'Unknown device'
  const system = /(Android|iPhone|iPad|Windows|Mac OS|Linux)/.exec(userAgent ?? '')?.[1]
  return system ? `${browser} on ${system}` : browser
}
