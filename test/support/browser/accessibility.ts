import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** Returns the rules of axe-core that the page breaks, each with the elements that break it. */
export async function violationsOf(page: Page): Promise<string[]> {
  // Evaluated and not added as a script, because the page's content security policy forbids that.
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
  return violations.map(({ id, nodes }) => {
    const elements = nodes.map(({ html, failureSummary }) => `${html}\n  ${failureSummary}`)
    return `${id}: ${elements.join('\n')}`
  })
}
