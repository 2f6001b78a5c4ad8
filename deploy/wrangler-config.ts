// The one place where names of an environment become configuration. The committed wrangler.toml files have the structure
// and the names of `production`; another environment gets a copy with its own names.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')
export const DEFAULT_ENVIRONMENT = 'production'
export const CONFIG_FILES = { web: 'wrangler.toml', workflow: 'packages/FUSOU-WORKFLOW/wrangler.toml' } as const

/** The names of an environment; no two environments share one. */
export interface EnvironmentNames {
  readonly pagesProject: string
  readonly worker: string
  readonly bucket: string
  readonly queue: string
  readonly deadLetterQueue: string
  readonly workflow: string
  readonly rateLimitNamespace: string
}
export type Environments = Readonly<Record<string, EnvironmentNames>> & { readonly production: EnvironmentNames }

export const readEnvironments = (): Environments =>
  JSON.parse(readFileSync(join(ROOT, 'deploy/environments.json'), 'utf8')) as Environments

/**
 * The text of a wrangler.toml for an environment: every quoted name of production is replaced, and nothing else.
 * @param text of the committed file
 * @throws Error if the environment is unknown, or shares a name with another one
 */
export function configFor(text: string, environment: string, environments = readEnvironments()): string {
  const names = environments[environment]
  if (names === undefined)
    throw new Error(
      `no environment ${environment}: deploy/environments.json has ${Object.keys(environments).join(', ')}`,
    )
  checkNames(environments)
  const replacements = new Map([[DEFAULT_ENVIRONMENT, environment]])
  for (const [what, name] of Object.entries(environments.production))
    replacements.set(name, names[what as keyof EnvironmentNames])
  return text.replaceAll(/"([^"\n]*)"/g, (quoted, name: string) => {
    const replacement = replacements.get(name)
    return replacement === undefined ? quoted : `"${replacement}"`
  })
}

/** @throws Error unless every environment names everything, and no two share a name */
export function checkNames(environments: Environments): void {
  const kinds = Object.keys(environments.production)
  const owners = new Map<string, string>()
  for (const [environment, names] of Object.entries(environments)) {
    const named = Object.entries(names)
    const missing = kinds.filter((what) => !named.some(([known, name]) => known === what && name !== ''))
    const surplus = named.map(([what]) => what).filter((what) => !kinds.includes(what))
    if (missing.length + surplus.length > 0)
      throw new Error(`environment ${environment}: name ${[...missing, ...surplus].join(', ')} as production does`)
    for (const [what, name] of named) {
      const owner = owners.get(name)
      if (owner !== undefined) throw new Error(`${environment} and ${owner} share the name ${name} (${what})`)
      owners.set(name, environment)
    }
  }
}
