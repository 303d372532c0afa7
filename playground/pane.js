import { button, countdown, enable, h } from './dom.js'
import { claims, shorten } from './tokens.js'

const TITLES = { you: 'You', thief: 'The thief' }

/**
 * What one holder has and can do.
 * @param {HTMLElement} root
 * @param {Record<'refresh' | 'lose' | 'retry' | 'ask' | 'logOut' | 'again', () => Promise<void>>} acts
 */
export function createPane(root, acts) {
  const name = root.dataset.holder
  const badge = h('span', { className: 'badge' })
  const refreshToken = h('code')
  const generation = h('span', { className: 'generation' })
  const inside = h('code', { className: 'claims' })
  const accessToken = h('code')
  const time = h('span', { className: 'time' })
  const bar = h('progress', {
    max: 1,
    value: 0,
    'aria-label': 'Time that the access token has left',
  })
  const buttons = {
    refresh: button('Refresh', acts.refresh, 'primary'),
    ask: button('Call the API', acts.ask),
    lose: button('Lose an answer', acts.lose),
    retry: button('Retry with its key', acts.retry),
    logOut: button('Log out', acts.logOut, 'quiet'),
  }
  const again = button('Sign in again', acts.again, 'primary')
  const live = h('div', { className: 'actions' }, ...Object.values(buttons))
  const over = h('div', { className: 'actions', hidden: true }, ...(name === 'you' ? [again] : []))

  root.replaceChildren(
    h(
      'div',
      { className: 'card-head' },
      h(
        'h2',
        { id: `${name}-title` },
        h('span', { className: `letter ${name}`, 'aria-hidden': 'true' }, name[0].toUpperCase()),
        TITLES[name],
      ),
      badge,
    ),
    h(
      'dl',
      {},
      h('dt', {}, 'Refresh token'),
      h('dd', {}, refreshToken, generation),
      h('dt', {}, 'Access token'),
      h('dd', {}, accessToken, time),
    ),
    bar,
    h('details', {}, h('summary', {}, 'Claims of the refresh token'), inside),
    live,
    over,
  )

  return {
    focus: () => (over.hidden ? buttons.refresh : again).focus(),

    /** @param {import('./session.js').Holder} holder */
    show(holder, { newest, ended }) {
      root.hidden = !holder
      if (!holder) return
      const spent = holder.generation < newest
      root.classList.toggle('out', ended !== null)
      badge.textContent = ended ? 'out' : 'in'
      refreshToken.textContent = shorten(holder.refreshToken)
      generation.textContent = `generation ${holder.generation}, ${ended ? 'dead' : spent ? 'spent' : 'the newest'}`
      generation.classList.toggle('spent', spent || ended !== null)
      const { iss, aud, jti, ...rest } = claims(holder.refreshToken)
      inside.textContent = JSON.stringify(rest, null, 2)
      accessToken.textContent = holder.accessToken ? shorten(holder.accessToken) : 'none yet'
      enable(buttons.ask, holder.accessToken !== '')
      enable(buttons.retry, holder.attempt !== null)
      buttons.retry.classList.toggle('primary', holder.lost)
      buttons.refresh.classList.toggle('primary', !holder.lost)
      live.hidden = ended !== null
      over.hidden = ended === null
    },

    /** Several times a second. */
    tick(holder, { ended }) {
      if (!holder) return
      const left = ended ? 0 : Math.max(0, holder.accessExpiry - Date.now())
      bar.value = left / holder.accessLife
      time.textContent = !holder.accessToken
        ? ''
        : ended
          ? 'dead'
          : left
            ? countdown(left)
            : 'out of time'
    },
  }
}
