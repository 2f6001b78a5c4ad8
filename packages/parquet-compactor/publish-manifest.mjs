// In the workspace the package is its sources, in a tarball it is dist/. pnpm puts `publishConfig` over the manifest when it
// packs; npm does not, so for npm the manifest is exchanged while it packs: publish-manifest.mjs apply | restore
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const manifest = join(import.meta.dirname, 'package.json')
const kept = join(import.meta.dirname, '.package.json.workspace')

// also what a pack that was killed has left
if (existsSync(kept)) renameSync(kept, manifest)
if (process.argv[2] === 'apply' && process.env.npm_config_user_agent?.startsWith('npm/')) {
  const text = readFileSync(manifest, 'utf8')
  const { publishConfig, scripts, devDependencies, ...published } = JSON.parse(text)
  writeFileSync(kept, text)
  writeFileSync(manifest, `${JSON.stringify({ ...published, ...publishConfig }, null, 2)}\n`)
}
