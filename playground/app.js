import { borrow, lend, madeUp } from './account.js'
import { createApi } from './api.js'
import { button, byId, h } from './dom.js'
import { createLog } from './log.js'
import { createPane } from './pane.js'
import { createSession } from './session.js'
import { createSessions } from './sessions.js'
import { advice, asked, BEGUN, ENDED, refreshed, STOLEN, unavailable } from './story.js'
import { createWheel } from './wheel.js'

const wheel = createWheel(byId('wheel'))
const log = createLog(byId('log'))
const call = createApi((exchange) => log.add(exchange))
const form = byId('credentials')
const teaser = byId('teaser')
const sessions = createSessions(
  { root: byId('sessions'), list: byId('session-list'), note: byId('sessions-note') },
  async (id) => {
    const status = await session.end(id)
    if (session.state.ended) over('you')
    else if (status !== 204) tell(unavailable(status))
    else await look()
  },
)
const panes = { you: pane('you'), thief: pane('thief') }

let settings = { grace: 30_000, signup: true }
/** @type {{ email: string, password: string } | undefined} */
let account
/** @type {ReturnType<typeof createSession> | undefined} */
let session

function pane(name) {
  const turn = (present, again) => async () => {
    const result = await present()
    tell(refreshed(name, result, { grace: settings.grace, again }))
    if (result.outcome === 'replayed') wheel.pulse()
    if (result.outcome === 'reused') await found()
    else if (session.state.ended) over(name, false)
    show()
  }
  return createPane(byId(name), {
    refresh: turn(() => session.refresh(name)),
    lose: turn(() => session.refresh(name, true)),
    retry: turn(() => session.retry(name), true),
    ask: async () => {
      const { status } = await session.ask(name)
      tell(asked(name, status))
      if (status === 401 && session.state.holders.get(name).accessExpiry > Date.now())
        session.state.ended ??= 'elsewhere'
      show()
    },
    logOut: async () => {
      const status = await session.logOut(name)
      if (session.state.ended) over(name)
      else tell(unavailable(status))
    },
    again: () => enter('login', account),
  })
}

function tell({ title, text }) {
  byId('story-title').textContent = title
  byId('story-text').textContent = text
}

function show() {
  const { state } = session
  const held = [...state.holders.values()]
  for (const name of ['you', 'thief']) panes[name].show(state.holders.get(name), state)
  teaser.hidden = state.holders.has('thief')
  const marks = held.map(({ name, generation }) => ({
    name,
    generation,
    letter: name[0].toUpperCase(),
  }))
  wheel.show({ generation: state.newest, holders: marks })
  wheel.set(state.ended ? (state.ended === 'theft' ? 'locked' : 'ended') : 'live')
  document.body.dataset.stage = state.ended ?? 'live'
  tick()
}

function tick() {
  if (!session) return
  const { state } = session
  for (const name of ['you', 'thief']) panes[name].tick(state.holders.get(name), state)
  wheel.grace(state.ended ? 0 : state.graceLeft(), settings.grace)
  const next = advice(session)
  if (byId('next').textContent !== next) byId('next').textContent = next
}

/** Theft: both show what they hold, and neither is let in. */
async function found() {
  wheel.jam()
  for (const holder of session.state.holders.values())
    if (holder.accessToken) await session.ask(holder.name)
  sessions.over()
  show()
  panes.you.focus()
}

function over(name, say = true) {
  if (say) tell(ENDED[session.state.ended](name))
  sessions.over()
  show()
  panes.you.focus()
}

/** Is the session still alive, and which others are there? */
async function look() {
  const asking = session
  const you = asking?.state.holders.get('you')
  if (!you || asking.state.ended || document.hidden || you.accessExpiry <= Date.now()) return
  const exchange = await asking.ask('you', true, sessions.path())
  if (asking !== session || asking.state.ended) return
  if (exchange.status !== 401) return sessions.heard(exchange)
  if (you.accessExpiry <= Date.now()) return
  asking.state.ended = 'elsewhere'
  over('you')
}

async function enter(how, credentials) {
  const { status, answer } = await call({
    who: 'you',
    method: 'POST',
    path: `/auth/${how}`,
    body: credentials,
  })
  byId('traffic').hidden = false
  if (!answer?.refreshToken) {
    byId('door-problem').textContent = answer?.detail ?? answer?.title ?? unavailable(status).text
    return
  }
  account = credentials
  session = createSession(call, settings.grace)
  session.begin(answer)
  byId('door').hidden = true
  prepareTheft()
  tell(BEGUN)
  show()
  panes.you.focus()
  await look()
}

function prepareTheft() {
  const steal = button(
    'Steal this token',
    () => {
      session.steal()
      tell(STOLEN(session.state.holders.get('thief').generation))
      show()
      panes.thief.focus()
    },
    'danger',
  )
  teaser.classList.add('vacant')
  teaser.replaceChildren(
    h('h2', { id: 'teaser-title' }, 'Nobody else'),
    h(
      'p',
      {},
      'So far you alone hold this token. Let a malicious script copy it, and play both sides.',
    ),
    steal,
  )
}

async function start() {
  settings = await fetch('playground/settings.json').then((response) => response.json())
  const join = location.hash === '#join' && (await borrow())
  lend(() => account)
  if (join) return enter('login', join)
  const { email, password } = madeUp()
  form.elements.email.value = email
  form.elements.password.value = password
  form.elements.signup.hidden = !settings.signup
  byId('door-hint').hidden = !settings.signup
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  const { email, password } = form.elements
  byId('door-problem').textContent = ''
  return enter(event.submitter?.value ?? 'login', { email: email.value, password: password.value })
})
setInterval(tick, 200)
setInterval(look, 3000)
document.addEventListener('visibilitychange', look)
await start()
