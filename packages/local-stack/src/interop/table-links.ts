import { DATASET, TABLE } from './table-under-test.ts'

/** Links to the table under test, behind the proxy. */
export class TableLinks {
  readonly #webUrl: string
  readonly #headers: Record<string, string>
  readonly #proxyUrl: string

  constructor(webUrl: string, token: string, proxyUrl: string) {
    this.#webUrl = webUrl
    this.#headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    this.#proxyUrl = proxyUrl
  }

  /** @param version left out: the newest at each reading */
  async linkTo(version?: number): Promise<string> {
    const response = await fetch(`${this.#webUrl}/api/datasets/${DATASET}/tables/${TABLE}/links`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify({ version }),
    })
    return ((await response.json()) as { url: string }).url.replace(this.#webUrl, this.#proxyUrl)
  }

  async newestVersion(): Promise<number> {
    const response = await fetch(`${this.#webUrl}/api/datasets/${DATASET}`, { headers: this.#headers })
    return ((await response.json()) as { version: number }).version
  }
}
