import { generateCredentials, requestAccount, shareAccount } from './account.js'
import { createApi } from './api.js'
import { button, byId, h } from './dom.js'
import { createLog } from './log.js'
import { createMailbox } from './mailbox.js'
import { createPane } from './pane.js'
import { createSession } from './session.js'
import { createSessions } from './sessions.js'
import {
  advise,
  describeApiCall,
  describeCopy,
  describeEnd,
  describeRefresh,
  describeStart,
  describeUnavailable,
} from './story.js'
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
    if (session.state.ended) showEnd('you')
    else if (status !== 204) tell(describeUnavailable(status))
    else await pollSession()
  },
)
const panes = { you: openPane('you'), thief: openPane('thief') }

const mailbox = createMailbox(call, {
  tell,
  email: () => account?.email ?? form.elements.email.value,
  onNewPassword(password) {
    if (account) account = { ...account, password }
    form.elements.password.value = password
    pollSession()
  },
})

let settings = { grace: 30_000, signup: true }
/** @type {{ email: string, password: string } | undefined} */
let account
/** @type {ReturnType<typeof createSession> | undefined} */
let session

function openPane(name) {
  const refresh =
    (present, isRetry = false) =>
    async () => {
      const result = await present()
      tell(describeRefresh(name, result, { grace: settings.grace, isRetry }))
      if (result.outcome === 'replayed') wheel.pulse()
      if (result.outcome === 'reused') await showTheft()
      else if (session.state.ended) showEndedState()
      show()
    }
  return createPane(byId(name), {
    refresh: refresh(() => session.refresh(name)),
    lose: refresh(() => session.refresh(name, true)),
    retry: refresh(() => session.retry(name), true),
    callApi: async () => {
      const { status } = await session.callApi(name)
      tell(describeApiCall(name, status))
      if (status === 401 && session.state.holders.get(name).accessExpiry > Date.now())
        session.state.ended ??= 'elsewhere'
      show()
    },
    logOut: async () => {
      const status = await session.logOut(name)
      if (session.state.ended) showEnd(name)
      else tell(describeUnavailable(status))
    },
    signIn: () => signIn('login', account),
  })
}

/** Shows a text of the story. */
function tell({ title, text }) {
  byId('story-title').textContent = title
  byId('story-text').textContent = text
}

function show() {
  const { state } = session
  const holders = [...state.holders.values()]
  for (const name of ['you', 'thief']) panes[name].show(state.holders.get(name), state)
  teaser.hidden = state.holders.has('thief')
  const marks = holders.map(({ name, generation }) => ({
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
  const next = advise(session)
  if (byId('next').textContent !== next) byId('next').textContent = next
}

/** Shows that the server refuses the tokens of both holders. */
async function showTheft() {
  wheel.jam()
  for (const holder of session.state.holders.values())
    if (holder.accessToken) await session.callApi(holder.name)
  showEndedState()
}

/** Shows that a holder ended the session, or that it ended elsewhere. */
function showEnd(name) {
  tell(describeEnd(session.state.ended, name))
  showEndedState()
}

function showEndedState() {
  sessions.close()
  show()
  panes.you.focus()
}

/** Finds out whether the session is still live, and which other sessions exist. */
async function pollSession() {
  const polled = session
  const you = polled?.state.holders.get('you')
  if (!you || polled.state.ended || document.hidden || you.accessExpiry <= Date.now()) return
  const exchange = await polled.callApi('you', true, sessions.path())
  if (polled !== session || polled.state.ended) return
  if (exchange.status !== 401) return sessions.update(exchange)
  if (you.accessExpiry <= Date.now()) return
  polled.state.ended = 'elsewhere'
  showEnd('you')
}

/** Starts a session by `login` or `signup`. */
async function signIn(route, credentials) {
  const { status, result } = await call({
    who: 'you',
    method: 'POST',
    path: `/auth/${route}`,
    body: credentials,
  })
  byId('traffic').hidden = false
  if (!result?.refreshToken) {
    byId('door-problem').textContent =
      result?.detail ?? result?.title ?? describeUnavailable(status).text
    return
  }
  account = credentials
  session = createSession(call, settings.grace)
  session.start(result)
  byId('door').hidden = true
  offerTheft()
  tell(describeStart())
  show()
  panes.you.focus()
  await pollSession()
}

function offerTheft() {
  const steal = button(
    'Steal this token',
    () => {
      session.steal()
      tell(describeCopy(session.state.holders.get('thief').generation))
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
      'So far only you hold this token. Let a malicious script copy it, and play both sides.',
    ),
    steal,
  )
}

async function start() {
  settings = await fetch('playground/settings.json').then((response) => response.json())
  const shared = location.hash === '#join' && (await requestAccount())
  shareAccount(() => account)
  if (settings.mailbox) await mailbox.start()
  if (shared) return signIn('login', shared)
  const { email, password } = generateCredentials()
  form.elements.email.value = email
  form.elements.password.value = password
  form.elements.signup.hidden = !settings.signup
  byId('door-hint').hidden = !settings.signup
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  const { email, password } = form.elements
  byId('door-problem').textContent = ''
  return signIn(event.submitter?.value ?? 'login', { email: email.value, password: password.value })
})
setInterval(tick, 200)
setInterval(pollSession, 3000)
document.addEventListener('visibilitychange', pollSession)
await start()
