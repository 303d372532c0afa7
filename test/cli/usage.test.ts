import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/config.ts'
import { runCli } from '../support/cli-process.ts'

test('Every command prints its help to standard output', async () => {
  const expected = {
    '--help': /serve.+migrate.+seed.+user.+keys.+events.+webhook.+secrets/s,
    'migrate --help': /DATABASE_URL/,
    'seed --help': /--file <path>[\s\S]+--count <n>[\s\S]+--force/,
    'user --help': /create \[options\] <email>/,
    'user disable --help': /--yes[\s\S]+--json/,
    'user roles --help': /--set <roles>[\s\S]+--add[\s\S]+--remove[\s\S]+--logout/,
    'session revoke --help': /--user <user>[\s\S]+--yes/,
    'user create --help': /--role <role>[\s\S]+--password-stdin/,
    'keys --help': /list[\s\S]+rotate[\s\S]+retire[\s\S]+gone/,
    'keys retire --help': /--now[\s\S]+--yes[\s\S]+--json/,
    'events list --help':
      /--user[\s\S]+--session[\s\S]+--type[\s\S]+--since[\s\S]+--until[\s\S]+24h/,
    'webhook --help': /list[\s\S]+retry[\s\S]+dead/,
    'webhook retry --help': /--all[\s\S]+--yes[\s\S]+--json/,
    'secrets --help': /EdDSA[\s\S]+> \.env/,
    '--version': /^\d+\.\d+\.\d+\n$/,
  }
  await Promise.all(
    Object.entries(expected).map(async ([line, text]) => {
      const result = await runCli(line.split(' '))
      assert.equal(result.code, 0, line)
      assert.match(result.stdout, text)
      assert.equal(result.stderr, '')
    }),
  )
})

test('Wrong usage exits with 2 and reports the error on standard error', async () => {
  const expected = {
    '': /Usage: pawl/,
    sed: /unknown command 'sed'/,
    seed: /--file users\.json/,
    'seed --count 0': /whole number/,
    'seed --file users.json --password x': /--password needs --count/,
    'user create ada': /must be an e-mail address/,
    'user create ada@example.com --role Admin': /A role is/,
    'user create ada@example.com --password x': /unknown option '--password'/,
    'user disable a,da': /must be the e-mail address or the id/,
    'user roles ada@example.com': /--set a,b/,
    'user roles ada@example.com --set a --add b': /without --add and --remove/,
    'user list --limit 0': /whole number/,
    'session revoke': /name either/,
    'session revoke 0190a5d2': /must be the id of a session/,
    'session revoke 0190a5d2-7f3b --user ada@example.com': /name either/,
    'revoke-all now': /too many arguments/,
    'migrate now': /too many arguments/,
    'keys rotate --purpose both': /access, refresh/,
    'keys retire --now': /missing required argument 'kid'/,
    'events list --type gossip': /reuse_found/,
    'events list --since yesterday': /must be a time like/,
    'events list --until 2026-13-01': /must be a time like/,
    'events list --after 7': /must be the id of an event/,
    'events list --session 0190a5d2': /must be the id of a session/,
    'events list --limit 10001': /whole number/,
    'webhook retry': /name either/,
    'webhook retry 7 --all': /name either/,
    'webhook retry x': /must be the number of a delivery/,
    'webhook list --after x': /must be the number of a delivery/,
    'secrets --alg HS256': /EdDSA, ES256, RS256/,
  }
  await Promise.all(
    Object.entries(expected).map(async ([line, text]) => {
      const result = await runCli(line.split(' ').filter(Boolean))
      assert.equal(result.code, 2, line)
      assert.match(result.stderr, text)
      assert.equal(result.stdout, '')
    }),
  )
})

test('A command names every variable that is wrong, and no value', async () => {
  const env = { DATABASE_URL: 'mysql://hush', ARGON2_TIME: 'hush', REDIS_URL: 'not looked at' }
  for (const line of ['migrate', 'seed --count 1']) {
    const { code, stderr } = await runCli(line.split(' '), env)
    assert.equal(code, 1, line)
    assert.match(
      stderr,
      /^The configuration has 2 problems:\n {2}DATABASE_URL must .+\n {2}ARGON2_TIME must .+\n$/,
    )
    assert.ok(!stderr.includes('hush'))
  }
})

test('The generated secrets are accepted by the server and new each time', async () => {
  const required = {
    DATABASE_URL: 'postgres://127.0.0.1/pawl',
    REDIS_URL: 'redis://127.0.0.1',
    ISSUER: 'https://auth.example.com',
  }
  const seen = new Set<string>()
  for (const alg of ['EdDSA', 'EdDSA', 'ES256']) {
    const { code, stdout, stderr } = await runCli(['secrets', '--alg', alg])
    assert.equal(code, 0)
    assert.equal(stderr, '')
    const lines = stdout.trimEnd().split('\n')
    const secrets = Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2)))
    assert.equal(loadConfig({ ...required, ...secrets }).accessTokenAlg, alg)
    const names = ['REFRESH_TOKEN_SECRET', 'ACCESS_TOKEN_PRIVATE_KEY', 'KEY_ENCRYPTION_SECRET']
    for (const name of names) seen.add(secrets[name])
  }
  assert.equal(seen.size, 9)
})
