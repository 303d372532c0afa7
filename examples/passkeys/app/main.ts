import * as api from './api.ts'

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T
const codeForm = find<HTMLFormElement>('code')
let onCode = async (_code: string) => ''

const show = (id: string, isShown: boolean) => find(id).toggleAttribute('hidden', !isShown)
const say = (text: string) => {
  find('message').textContent = text
}

/** Shows what a signed-in user may do, or how to sign in. */
async function render(): Promise<void> {
  const isSignedIn = (await api.auth.token()) !== undefined
  show('signed-in', isSignedIn)
  show('signed-out', !isSignedIn)
  show('code', false)
  if (!isSignedIn) return
  const { name, passkeys, hasCodes } = await api.account()
  find('account').textContent = `${name}, with ${passkeys} ${passkeys > 1 ? 'passkeys' : 'passkey'}`
  show('enrol', !hasCodes)
}

/** Runs an action and shows its result, or what went wrong. Without a result, it goes on. */
async function run(action: () => Promise<string | undefined>): Promise<void> {
  say('')
  try {
    const result = await action()
    if (result === undefined) return
    await render()
    say(result)
  } catch (error) {
    say((error as Error).message)
  }
}

/** Shows the form for a code. The action goes on when the user has given one. */
function askForCode(hint: string, then: typeof onCode): undefined {
  find('hint').textContent = hint
  onCode = then
  codeForm.reset()
  show('code', true)
}

const openVault = async () => `The vault contains ${(await api.openVault()).content}.`

const clicks: Record<string, () => Promise<string | undefined>> = {
  async login() {
    await api.logIn()
    return 'You are signed in.'
  },
  async logout() {
    await api.auth.logout()
    return 'You are signed out.'
  },
  async add() {
    await api.addPasskey()
    return 'The passkey was added.'
  },
  async open() {
    try {
      return await openVault()
    } catch (error) {
      if (!api.needsLogin(error)) throw error
      return askForCode('The vault demands a code, and your passkey once more.', async (code) => {
        await api.logIn(code)
        return openVault()
      })
    }
  },
  async enrol() {
    const { uri } = await api.enrol()
    return askForCode(`Add this to your app for codes: ${uri}`, async (code) => {
      await api.confirmCodes(code)
      return 'Codes are set up.'
    })
  },
}

for (const [id, action] of Object.entries(clicks)) find(id).onclick = () => run(action)

/** Runs an action with the only field of a form. */
function onSubmit(form: HTMLFormElement, action: (value: string) => Promise<string>): void {
  form.onsubmit = (event) => {
    event.preventDefault()
    const [value] = new FormData(form).values()
    run(() => action(value as string))
  }
}

onSubmit(codeForm, (code) => onCode(code))
onSubmit(find('signup'), async (name) => {
  await api.signUp(name)
  return 'The account was created.'
})

api.auth.onChange(({ elsewhere, reason }) => {
  if (reason === 'ended') run(async () => 'Your session has ended.')
  else if (elsewhere && reason !== 'restored') run(async () => '')
})
run(async () => '')
