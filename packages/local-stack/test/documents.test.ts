import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { REPO_ROOT } from '../src/support/repo-root.ts'

const read = (path: string) => readFileSync(join(REPO_ROOT, path), 'utf8')
const pages = [
  ...readdirSync(REPO_ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(REPO_ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...globSync('packages/*/*.md', { cwd: REPO_ROOT }),
]

/** The name that GitHub gives to the place of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

function anchorsOf(path: string): Set<string> {
  return new Set([...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!)))
}

describe.each(pages)('%s', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)

  test('links to pages and headings that exist', () => {
    const broken = links
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#')
        const file = path === '' ? page : relative(REPO_ROOT, resolve(REPO_ROOT, dirname(page), path))
        if (!existsSync(join(REPO_ROOT, file))) return true
        return anchor !== undefined && !anchorsOf(file).has(anchor)
      })
    expect(broken).toEqual([])
  })
})

describe('the README', () => {
  test('is read in a few minutes, and names every page', () => {
    const readme = read('README.md')
    expect(readme.split('\n').length).toBeLessThanOrEqual(120)
    for (const page of pages.filter((path) => /^docs\/[^/]+\.md$/.test(path))) expect(readme).toContain(`(${page})`)
  })
})

describe('the commands', () => {
  const scriptsOf = (manifest: string) => Object.keys(JSON.parse(read(manifest)).scripts ?? {})
  const text = pages.map(read).join('\n')
  const named = new Set([...text.matchAll(/npm (?:run )?(?:--silent )?([a-z][a-z:]*)/g)].map(([, script]) => script!))

  test('of the repository are all in a document', () => {
    const scripts = scriptsOf('package.json').filter((script) => !/^pre/.test(script))
    expect(scripts.length).toBeGreaterThan(20)
    expect(scripts.filter((script) => !named.has(script))).toEqual([])
  })

  test('that a document names are there', () => {
    const manifests = ['package.json', ...globSync('packages/*/package.json', { cwd: REPO_ROOT })]
    const scripts = new Set([...manifests.flatMap(scriptsOf), 'install', 'pack'])
    const runs = [...text.matchAll(/npm run (?:--silent )?([a-z][a-z:]*)/g)].map(([, script]) => script!)
    expect(runs.length).toBeGreaterThan(20)
    expect(runs.filter((script) => !scripts.has(script))).toEqual([])
  })
})

describe('the architecture', () => {
  test('names places that exist for what people change', () => {
    const page = read('docs/architecture.md')
    const rows = page
      .slice(page.indexOf('## Where to change what'))
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| change |'))
    expect(rows.length).toBeGreaterThanOrEqual(10)
    for (const row of rows) {
      const paths = [...row.matchAll(/`((?:packages|supabase|docs)\/[^`]*)`/g)].map(([, path]) => path!)
      expect(paths.length, row).toBeGreaterThan(0)
      expect(paths.filter((path) => !existsSync(join(REPO_ROOT, path)))).toEqual([])
    }
  })
})
