import { PawlProvider } from 'pawl/client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { auth } from './session.ts'
import './style.css'

const root = document.getElementById('app')
if (root)
  createRoot(root).render(
    <StrictMode>
      <PawlProvider client={auth}>
        <App />
      </PawlProvider>
    </StrictMode>,
  )
