const JSON_TYPE = "-H 'Content-Type: application/json'"
const CREDENTIALS =
  '{\\"email\\":\\"ada$(date +%s)@example.com\\",\\"password\\":\\"turn one notch at a time\\"}'

/**
 * Returns what the embedded default prints when it listens: its address, its stores, and how to try
 * it, in a browser and with three commands.
 */
export function welcome(
  url: string,
  { dataDir, playground }: { dataDir: string; playground: boolean },
): string {
  const post = (path: string, body: string) =>
    `PAIR=$(curl -s ${url}${path} ${JSON_TYPE} -d "${body}"); echo "$PAIR"`
  const token = (name: string) => `$(echo "$PAIR" | sed 's/.*"${name}":"//; s/".*//')`
  const lines = [
    '',
    `Pawl listens on ${url}`,
    `Embedded default: Postgres runs in this process, with its data in ${dataDir}. What would be`,
    'in Redis is in memory.',
    '',
    ...(playground
      ? [`Open ${url} in a browser to watch a session, and to see how theft is detected.`, '']
      : []),
    `${playground ? 'Or try' : 'Try'} it with curl (paste all three lines):`,
    `  ${post('/auth/signup', CREDENTIALS)}`,
    `  ${post('/auth/refresh', `{\\"refreshToken\\":\\"${token('refreshToken')}\\"}`)}`,
    `  curl -s ${url}/auth/me -H "Authorization: Bearer ${token('accessToken')}"`,
  ]
  return `${lines.join('\n')}\n\n`
}
