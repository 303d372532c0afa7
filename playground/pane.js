import { button, countdown, enable, h } from './dom.js'
import { decodeClaims, shorten } from './tokens.js'

const TITLES = { you: 'You', thief: 'The thief' }

/**
 * Creates the pane that shows the tokens of one holder, with buttons to use them.
 * @param {HTMLElement} root
 * @param {Record<'refresh' | 'lose' | 'retry' | 'callApi' | 'logOut' | 'signIn',
 *   () => Promise<void>>} actions
 */
export function createPane(root, actions) {
  const name = root.dataset.holder
  const badge = h('span', { className: 'badge' })
  const refreshToken = h('code')
  const generation = h('span', { className: 'generation' })
  const claims = h('code', { className: 'claims' })
  const accessToken = h('code')
  const time = h('span', { className: 'time' })
  const bar = h('progress', {
    max: 1,
    value: 0,
    'aria-label': 'Remaining time of the access token',
  })
  const buttons = {
    refresh: button('Refresh', actions.refresh, 'primary'),
    callApi: button('Call the API', actions.callApi),
    lose: button('Lose a response', actions.lose),
    retry: button('Retry with its key', actions.retry),
    logOut: button('Log out', actions.logOut, 'quiet'),
  }
  const signIn = button('Sign in again', actions.signIn, 'primary')
  const live = h('div', { className: 'actions' }, ...Object.values(buttons))
  const over = h('div', { className: 'actions', hidden: true }, ...(name === 'you' ? [signIn] : []))

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
    h('details', {}, h('summary', {}, 'Claims of the refresh token'), claims),
    live,
    over,
  )

  return {
    focus: () => (over.hidden ? buttons.refresh : signIn).focus(),

    /** @param {import('./session.js').Holder} holder */
    show(holder, { newest, ended }) {
      root.hidden = !holder
      if (!holder) return
      const isSpent = holder.generation < newest
      root.classList.toggle('out', ended !== null)
      badge.textContent = ended ? 'signed out' : 'signed in'
      refreshToken.textContent = shorten(holder.refreshToken)
      const status = ended ? 'revoked' : isSpent ? 'spent' : 'the newest'
      generation.textContent = `generation ${holder.generation}, ${status}`
      generation.classList.toggle('spent', isSpent || ended !== null)
      const { iss, aud, jti, ...rest } = decodeClaims(holder.refreshToken)
      claims.textContent = JSON.stringify(rest, null, 2)
      accessToken.textContent = holder.accessToken ? shorten(holder.accessToken) : 'none yet'
      enable(buttons.callApi, holder.accessToken !== '')
      enable(buttons.retry, holder.attempt !== null)
      buttons.retry.classList.toggle('primary', holder.hasLostResponse)
      buttons.refresh.classList.toggle('primary', !holder.hasLostResponse)
      live.hidden = ended !== null
      over.hidden = ended === null
    },

    /** Updates the remaining time, several times a second. */
    tick(holder, { ended }) {
      if (!holder) return
      const left = ended ? 0 : Math.max(0, holder.accessExpiry - Date.now())
      bar.value = left / holder.accessLifetime
      time.textContent = !holder.accessToken
        ? ''
        : ended
          ? 'revoked'
          : left
            ? countdown(left)
            : 'expired'
    },
  }
}
