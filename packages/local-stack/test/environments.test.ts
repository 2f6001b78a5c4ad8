import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  CONFIG_FILES,
  checkNames,
  configFor,
  type Environments,
  ROOT,
  readEnvironments,
} from '../../../deploy/wrangler-config.ts'

// Two environments must never share a bucket, a queue, a Worker or a project.

const environments = readEnvironments()
const others = Object.keys(environments).filter((name) => name !== 'production')
const files = Object.values(CONFIG_FILES).map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
const quotedIn = (text: string) => [...text.matchAll(/"([^"\n]*)"/g)].map(([, name]) => name!)

test('there is an environment beside production', () => {
  expect(others.length).toBeGreaterThan(0)
})

describe.each(files)('$path', ({ text }) => {
  test('has the names of production', () => {
    expect(configFor(text, 'production')).toBe(text)
  })

  test.each(others)('has for %s no name that production has', (environment) => {
    const names = quotedIn(configFor(text, environment))
    for (const name of [...Object.values(environments.production), 'production']) expect(names).not.toContain(name)
    expect(names).toContain(environments[environment]!.bucket)
    expect(names).toContain(environment)
  })
})

test('together they use every name, so that none is missed by a slip', () => {
  const used = new Set(files.flatMap(({ text }) => quotedIn(text)))
  expect(Object.values(environments.production).filter((name) => !used.has(name))).toEqual([])
})

test.each([
  ['the bucket of another one', { bucket: environments.production.bucket }, /share the name fusou-files/],
  ['no name for its queue', { queue: '' }, /environment staging: name queue/],
  ['a name for something unknown', { topic: 't' }, /environment staging: name topic/],
])('an environment with %s is refused', (_what, change, message) => {
  const wrong = { ...environments, staging: { ...environments.staging!, ...change } } as Environments
  expect(() => checkNames(wrong)).toThrow(message)
})

test('an environment that nobody has named is refused', () => {
  expect(() => configFor('', 'stagign')).toThrow('deploy/environments.json has production, staging, dev')
})
