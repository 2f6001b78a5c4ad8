import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Query, Reader } from './open-table.ts'

/** Where Debian, Fedora and Google's own packages put it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const PAGE_READERS = ['duckdb-wasm', 'hyparquet'] as const
export type PageReader = (typeof PAGE_READERS)[number]

/** What page/page.ts puts into the page. */
declare const page: {
  readers: {
    open(reader: PageReader, url: string): Promise<void>
    ask(query: Query): Promise<number>
    close(): Promise<void>
  }
}

/** @returns the browser without a window, or why there is none */
export async function launchChromium(): Promise<Browser | string> {
  const executablePath = process.env.FUSOU_CHROMIUM ?? PLACES.find((place) => existsSync(place))
  if (executablePath === undefined)
    return 'no Chromium is installed (apt-get install chromium, or name it in FUSOU_CHROMIUM)'
  // The sandbox of Chromium refuses root, who runs CI. The only pages that it opens are ours.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 })
}

/** A page of an origin, in a profile of its own. */
export async function openPage(browser: Browser, origin: string): Promise<Page> {
  const context = await browser.newContext()
  const opened = await context.newPage()
  await opened.goto(origin)
  return opened
}

/** A reader in a page of an origin, each reading with caches of its own. */
export const pageReader =
  (browser: Browser, origin: string, reader: PageReader): Reader =>
  async (url) => {
    const opened = await openPage(browser, origin)
    const close = () => opened.context().close()
    try {
      await opened.evaluate(([name, link]) => page.readers.open(name, link), [reader, url] as const)
    } catch (error) {
      await close()
      throw error
    }
    return { ask: (query) => opened.evaluate((name) => page.readers.ask(name), query), close }
  }
