import { type MailLink, takeMailLink } from 'pawl/client/account'
import { PawlProvider } from 'pawl/client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { auth } from './session.ts'
import './style.css'

const container = document.getElementById('app')
const root = container && createRoot(container)

let links = 0

/** The key makes React forget the link before, even if this is the same one again. */
function render(link: MailLink | undefined): void {
  links++
  root?.render(
    <StrictMode>
      <PawlProvider client={auth}>
        <App key={links} link={link} />
      </PawlProvider>
    </StrictMode>,
  )
}

render(takeMailLink())

// The page does not load again if the link is pasted into the address bar of this tab.
addEventListener('hashchange', () => {
  const link = takeMailLink()
  if (link) render(link)
})
