import type { FastifyInstance } from 'fastify'
import { authenticate, authorize, PawlError } from 'pawl'

export interface Invoice {
  number: number
  customer: string
  euros: number
  isPaid: boolean
}

export type NewInvoice = Pick<Invoice, 'customer' | 'euros'>

/** The permissions of each role. */
export const PERMISSIONS = { accountant: ['invoices:write', 'invoices:pay'] }

const NEW_INVOICE = {
  type: 'object',
  required: ['customer', 'euros'],
  properties: {
    customer: { type: 'string', minLength: 1, maxLength: 80 },
    euros: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  },
}

/** Registers the routes of this application. Each declares who may use it. */
export async function invoices(app: FastifyInstance): Promise<void> {
  const ledger: Invoice[] = [
    { number: 1, customer: 'Harrison & Sons', euros: 310, isPaid: true },
    { number: 2, customer: 'Breguet', euros: 1_780, isPaid: false },
  ]

  app.get('/invoices', { preHandler: authenticate }, async () => ledger)

  app.post<{ Body: NewInvoice }>(
    '/invoices',
    {
      preHandler: authorize({ permissions: ['invoices:write'] }),
      schema: { body: NEW_INVOICE },
    },
    async ({ body: { customer, euros } }, reply) => {
      const invoice = { number: ledger.length + 1, customer, euros, isPaid: false }
      ledger.push(invoice)
      return reply.code(201).send(invoice)
    },
  )

  // Money moves here, so `fresh` asks the stores: this node may not know the latest revocation yet.
  app.post<{ Params: { number: string } }>(
    '/invoices/:number/payment',
    { preHandler: authorize({ permissions: ['invoices:pay'], fresh: true }) },
    async ({ params: { number } }) => {
      const invoice = ledger.find((one) => one.number === Number(number))
      if (!invoice) throw new PawlError('NOT_FOUND')
      invoice.isPaid = true
      return invoice
    },
  )
}
