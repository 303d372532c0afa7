/** What the embedded default prints once it listens: where, on what, and how to try it, in a browser or by three lines. */
export function welcome(
  url: string,
  { dataDir, playground }: { dataDir: string; playground: boolean },
): string {
  const json = "-H 'Content-Type: application/json'"
  const read = (name: string) => `echo "$PAIR" | sed 's/.*"${name}":"//; s/".*//'`
  return `
Pawl listens on ${url}
Embedded default: Postgres runs in this process, its data in ${dataDir}; what Redis would hold is in memory.
${playground ? `\nOpen ${url} in a browser to watch a session turn, and theft being found.\n` : ''}
${playground ? 'Or try it by hand' : 'Try it'} (paste all three):
  PAIR=$(curl -s ${url}/auth/signup ${json} -d "{\\"email\\":\\"ada$(date +%s)@example.com\\",\\"password\\":\\"turn one notch at a time\\"}"); echo "$PAIR"
  PAIR=$(curl -s ${url}/auth/refresh ${json} -d "{\\"refreshToken\\":\\"$(${read('refreshToken')})\\"}"); echo "$PAIR"
  curl -s ${url}/auth/me -H "Authorization: Bearer $(${read('accessToken')})"

`
}
