import { parseWebhookSecrets } from '../../webhook/webhook-secret.ts'
import { isWebhookUrl } from '../../webhook/webhook-url.ts'
import { isRepetitive, NOT_RANDOM } from '../random-text.ts'
import { duration, flag, optionalText, variable } from '../variable.ts'

export const EVENT_VARIABLES = {
  eventRetention: duration('EVENT_RETENTION', {
    default: '90d',
    shortest: '1h',
    description: 'How long a security event is kept ([guide](guides/events.md)).',
  }),
  eventsRefresh: flag('EVENTS_REFRESH', ['on', 'off'], {
    default: 'on',
    description:
      'Whether refreshes are recorded as security events. They are by far the most frequent.',
  }),
  webhookUrl: optionalText('WEBHOOK_URL', {
    requiredWith: 'WEBHOOK_SECRET',
    format: 'a URL that starts with https://, or with http:// if it is on this machine',
    isValid: isWebhookUrl,
    description:
      'URL that receives the most important security events as signed POST requests: theft, ' +
      'changes of passwords, roles and keys, and the actions of administrators ' +
      '([guide](guides/events.md)).',
  }),
  webhookSecrets: variable<readonly string[]>('WEBHOOK_SECRET', {
    default: '',
    requiredWith: 'WEBHOOK_URL',
    format:
      'whsec_ followed by the base64 of 24 to 64 random bytes, or, while it is being replaced, ' +
      'the new one, a comma and the old one',
    isValid: (text) => text === '' || isRandom(parseWebhookSecrets(text)?.[0] ?? ''),
    problemOf: (text) => (parseWebhookSecrets(text) ? NOT_RANDOM : undefined),
    parse: (text) => parseWebhookSecrets(text) ?? [],
    description:
      'Secret that signs the requests to the webhook, in the form of ' +
      '[Standard Webhooks](https://www.standardwebhooks.com). To replace it, set the new one, ' +
      'a comma and the old one: both sign.',
  }),
  webhookRetryFor: duration('WEBHOOK_RETRY_FOR', {
    default: '24h',
    shortest: '1s',
    description: 'How long the delivery of an event is retried.',
  }),
}

/** Judges the bytes that sign, not their base64. The secret that is replaced need not be strong. */
function isRandom(secret: string): boolean {
  const [, base64 = ''] = secret.split('_')
  return !isRepetitive(Buffer.from(base64, 'base64').toString('latin1'))
}
