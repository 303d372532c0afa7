import { isOptionalNotice, OPTIONAL_NOTICES, type OptionalNotice } from '../../mail/mail.ts'
import { parseSender, type SenderAddress } from '../../mail/sender-address.ts'
import { parseSmtpUrl } from '../../mail/smtp-url.ts'
import { isWebhookUrl } from '../../webhook/webhook-url.ts'
import { optional, optionalText, splitList, variable } from '../variable.ts'

export const MAIL_VARIABLES = {
  smtpUrl: optionalText('SMTP_URL', {
    format:
      'a URL such as smtp://user:password@mail.example.com:587, or one that starts with ' +
      'smtps://, with no parameter but starttls=off',
    isValid: (text) => parseSmtpUrl(text) !== undefined,
    description:
      'Mail server ([guide](guides/mail.md)). `smtps://` begins with TLS (port 465 by default); ' +
      '`smtp://` demands STARTTLS (port 587), unless the server is on this machine or the URL ' +
      'ends with `?starttls=off`. Without it, and without the option `mail`, no mail is sent.',
  }),
  mailFrom: optional<SenderAddress>('MAIL_FROM', {
    requiredWith: 'SMTP_URL',
    format: 'an address such as login@example.com, or Example <login@example.com>',
    isValid: (text) => parseSender(text) !== undefined,
    parse: (text) => parseSender(text) ?? { name: '', address: '' },
    description: 'Sender of all mails. They call the service by the name in it.',
  }),
  mailLink: optionalText('MAIL_LINK', {
    computedDefault: '`ISSUER`',
    format: 'a URL that starts with https://, or with http:// if it is on this machine',
    isValid: isWebhookUrl,
    description:
      'Page of your application that the links in mails open. It gets `token` and `purpose` in ' +
      'the fragment: `https://app.example.com/account#token=…&purpose=reset-password`.',
  }),
  mailNotices: variable<readonly OptionalNotice[]>('MAIL_NOTICES', {
    default: OPTIONAL_NOTICES.join(','),
    format: `none, or a comma-separated list of ${OPTIONAL_NOTICES.join(', ')}`,
    isValid: (text) => text === 'none' || splitList(text).every(isOptionalNotice),
    parse: (text) => (text === 'none' ? [] : splitList(text).filter(isOptionalNotice)),
    description:
      'Notices that users get about their account ([guide](guides/mail.md)). Leave out those ' +
      'that your application sends by itself.',
  }),
  mailTemplates: optionalText('MAIL_TEMPLATES', {
    format: 'the path of a folder',
    isValid: () => true,
    description:
      'Folder with templates of your own. Each file replaces the built-in one of its name ' +
      '([guide](guides/mail.md)).',
  }),
}
