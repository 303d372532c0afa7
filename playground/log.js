import { h } from './dom.js'
import { formatBody, shorten } from './tokens.js'

const MAX_ENTRIES = 12
const NAMES = { you: 'You', thief: 'Thief' }

/**
 * Creates the log of requests and responses, the newest first.
 * @param {HTMLElement} list
 */
export function createLog(list) {
  return {
    /** @param {import('./api.js').Exchange} exchange */
    add(exchange) {
      const { who, method, path, status, token, key, body, result, lost, ms } = exchange
      const kind = status === 0 || status >= 400 ? 'bad' : 'good'
      const head = h(
        'p',
        { className: 'exchange-head' },
        h('span', { className: `who ${who}` }, NAMES[who]),
        h('code', { className: 'target' }, h('b', {}, method), ` ${path}`),
        h('span', { className: `status ${kind}` }, status ? String(status) : 'no response'),
        h('span', { className: 'ms' }, `${Math.max(1, Math.round(ms))} ms`),
      )
      const sent = [
        token && line('Authorization', `Bearer ${shorten(token)}`),
        key && line('Idempotency-Key', `${key.slice(0, 8)}…`),
        body && line('→', formatBody(body)),
      ].filter(Boolean)
      const received = result ? [line('←', formatBody(summarize(result)), lost ? 'lost' : '')] : []
      if (lost)
        received.push(h('span', { className: 'lost-note' }, 'The response was lost on its way.'))
      list.prepend(
        h(
          'li',
          { className: 'exchange' },
          head,
          h('code', { className: 'lines' }, ...sent, ...received),
        ),
      )
      while (list.children.length > MAX_ENTRIES) list.lastChild.remove()
    },
  }
}

function line(name, text, className = '') {
  return h('span', { className: `line ${className}` }, h('i', {}, name), ` ${text}`)
}

/** Returns the fields that matter here. */
function summarize(result) {
  const { accessToken, refreshToken, expiresIn, status, code, detail } = result
  if (refreshToken) return { accessToken, refreshToken, expiresIn }
  if (code) return detail ? { status, code, detail } : { status, code }
  return result
}
