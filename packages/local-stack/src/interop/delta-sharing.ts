import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Answers } from './open-table.ts'
import { DATASET, TABLE } from './table-under-test.ts'

/** A profile that reads the dataset under test. @returns the path of its file */
export async function writeProfile(webUrl: string, token: string, folder: string): Promise<string> {
  const response = await fetch(`${webUrl}/api/keys?as=delta-sharing-profile`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'interop', scopes: ['read'], datasets: [DATASET] }),
  })
  const path = join(folder, 'interop.share')
  writeFileSync(path, await response.text())
  return path
}

/**
 * The client of the protocol for Python reads the table into pandas.
 * @param between is called between the list of files and the first of them
 * @returns what is wrong with its answers, or undefined
 */
export async function checkDeltaSharing(
  { python, profile, version }: { python: string; profile: string; version: number | undefined },
  between: () => Promise<void>,
  expected: Answers,
): Promise<string | undefined> {
  const inputs = [profile, `${DATASET}.default.${TABLE}`, ...(version === undefined ? [] : [String(version)])]
  const script = join(import.meta.dirname, 'delta_sharing_reader.py')
  const child = spawn(python, [script, ...inputs], { stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += text
  })
  const ended = once(child, 'close')
  let answer = ''
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'opened') {
      await between()
      child.stdin.write('\n')
    } else answer = line
  }
  const [code] = await ended
  if (code !== 0) return `FAILED: ${errors.trim().split('\n').at(-1) || `it ended with ${code}`}`
  const wrong = Object.entries(JSON.parse(answer) as Partial<Answers>).filter(
    ([name, value]) => expected[name as keyof Answers] !== value,
  )
  return wrong.length === 0 ? undefined : `WRONG: ${wrong.map(([name, value]) => `${name} ${value}`).join(', ')}`
}
