import { h } from './dom.js'
import { presentable, shorten } from './tokens.js'

const MOST = 12
const NAMES = { you: 'You', thief: 'Thief' }

/**
 * Requests and their answers, the newest first.
 * @param {HTMLElement} list
 */
export function createLog(list) {
  return {
    /** @param {import('./api.js').Exchange} exchange */
    add(exchange) {
      const { who, method, path, status, token, key, body, answer, lost, ms } = exchange
      const kind = status === 0 || status >= 400 ? 'bad' : 'good'
      const head = h(
        'p',
        { className: 'exchange-head' },
        h('span', { className: `who ${who}` }, NAMES[who]),
        h('code', { className: 'target' }, h('b', {}, method), ` ${path}`),
        h('span', { className: `status ${kind}` }, status ? String(status) : 'no answer'),
        h('span', { className: 'ms' }, `${Math.max(1, Math.round(ms))} ms`),
      )
      const sent = [
        token && line('Authorization', `Bearer ${shorten(token)}`),
        key && line('Idempotency-Key', `${key.slice(0, 8)}…`),
        body && line('→', presentable(body)),
      ].filter(Boolean)
      const received = answer
        ? [line('←', presentable(interesting(answer)), lost ? 'lost' : '')]
        : []
      if (lost)
        received.push(h('span', { className: 'lost-note' }, 'The answer was lost on its way.'))
      list.prepend(
        h(
          'li',
          { className: 'exchange' },
          head,
          h('code', { className: 'lines' }, ...sent, ...received),
        ),
      )
      while (list.children.length > MOST) list.lastChild.remove()
    },
  }
}

function line(name, text, className = '') {
  return h('span', { className: `line ${className}` }, h('i', {}, name), ` ${text}`)
}

function interesting(answer) {
  const { accessToken, refreshToken, expiresIn, status, code, detail } = answer
  if (refreshToken) return { accessToken, refreshToken, expiresIn }
  if (code) return detail ? { status, code, detail } : { status, code }
  return answer
}
