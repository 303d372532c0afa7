const code = { type: 'string', pattern: '^[0-9]{6}$' }

/** The library checks the rest of what the browser sends. */
const response = {
  type: 'object',
  required: ['id', 'response'],
  properties: {
    id: { type: 'string', maxLength: 1400 },
    response: { type: 'object', properties: { userHandle: { type: 'string', maxLength: 88 } } },
  },
}

export const NAME = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1, maxLength: 60 } },
}

export const REGISTRATION = { type: 'object', required: ['response'], properties: { response } }

export const LOGIN = { ...REGISTRATION, properties: { response, code } }

export const CODE = { type: 'object', required: ['code'], properties: { code } }
