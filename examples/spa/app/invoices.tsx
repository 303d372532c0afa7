import { type FormEvent, useEffect, useState } from 'react'
import type { Invoice } from '../api/invoices.ts'
import { call } from './api.ts'

export function Invoices() {
  const [invoices, setInvoices] = useState<Invoice[]>([])
  const [problem, setProblem] = useState('')

  /** Runs the work, then shows the invoices or the problem. */
  async function attempt(work?: () => Promise<unknown>) {
    try {
      await work?.()
      setInvoices(await call('/api/invoices'))
      setProblem('')
    } catch (error) {
      setProblem((error as Error).message)
    }
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: run once, when the list is first shown
  useEffect(() => void attempt(), [])

  function create(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    attempt(() =>
      call('/api/invoices', { customer: form.get('customer'), euros: Number(form.get('euros')) }),
    )
  }

  return (
    <>
      <ul>
        {invoices.map(({ number, customer, euros, isPaid }) => (
          <li key={number}>
            <span>
              {number}. {customer}
            </span>
            <data value={euros}>€ {euros}</data>
            {isPaid ? (
              <span>paid</span>
            ) : (
              <button
                type="button"
                onClick={() => attempt(() => call(`/api/invoices/${number}/payment`, {}))}
              >
                Pay
              </button>
            )}
          </li>
        ))}
      </ul>
      <form onSubmit={create} className="line">
        <input name="customer" aria-label="Customer" placeholder="Customer" required />
        <input name="euros" aria-label="Euros" type="number" min="1" placeholder="€" required />
        <button type="submit">Create</button>
      </form>
      <footer>
        <p role="alert">{problem}</p>
        <button type="button" className="quiet" onClick={() => attempt()}>
          Reload
        </button>
      </footer>
    </>
  )
}
