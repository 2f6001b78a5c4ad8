// npm run deploy:workflow -- [environment], npm run deploy:web -- [environment]: wrangler with the names of the
// environment. `--dry-run` as the last argument bundles and uploads nothing.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CONFIG_FILES, configFor, DEFAULT_ENVIRONMENT, ROOT } from './wrangler-config.ts'

const [wanted = '', ...rest] = process.argv.slice(2)
const dryRun = rest.includes('--dry-run')
const [environment = DEFAULT_ENVIRONMENT, surplus] = rest.filter((argument) => argument !== '--dry-run')
const part = Object.keys(CONFIG_FILES).find((name): name is keyof typeof CONFIG_FILES => name === wanted)
if (part === undefined || surplus !== undefined || environment.startsWith('-')) {
  console.error('usage: npm run deploy:workflow -- [environment] [--dry-run], or deploy:web')
  process.exit(2)
}

function run(command: string, args: string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const wrangler = join(ROOT, 'node_modules/.bin/wrangler')
try {
  const text = configFor(readFileSync(join(ROOT, CONFIG_FILES[part]), 'utf8'), environment)
  if (part === 'workflow') {
    // Beside the committed file, since its paths are relative to it.
    const config = join(ROOT, dirname(CONFIG_FILES.workflow), `wrangler.${environment}.generated.toml`)
    writeFileSync(config, text)
    run(wrangler, ['deploy', '-c', config, ...(dryRun ? ['--dry-run'] : [])], ROOT)
  } else {
    // Pages takes no path of a configuration: it reads the one of its working directory.
    const folder = join(ROOT, 'packages/FUSOU-WEB/dist-deploy', environment)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'wrangler.toml'), text.replace('"packages/FUSOU-WEB/dist"', '"../../dist"'))
    run(process.execPath, [join(ROOT, 'packages/FUSOU-WEB/build.mjs')], ROOT)
    if (!dryRun) run(wrangler, ['pages', 'deploy'], folder)
  }
} catch (error) {
  console.error(`deploy: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}
