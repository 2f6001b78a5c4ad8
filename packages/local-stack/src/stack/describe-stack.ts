import { relative } from 'node:path'
import { FLIGHTS } from '../demo/flights-file.ts'
import type { StackInfo } from './stack-info.ts'

/** The text that `npm start` prints when it is ready: addresses, a user, the operator token, and lines to paste. */
export function describeStack(info: StackInfo): string {
  const [user] = info.users
  const rows = [
    ['FUSOU-WEB', info.webUrl],
    ['Supabase', info.supabaseUrl],
    ['user', `${user!.email}  ${user!.password}`],
    ['operator token', info.operatorToken],
    ['state, logs', relative(process.cwd(), info.stateFolder) || '.'],
  ]
  const signIn = JSON.stringify({ email: user!.email, password: user!.password })
  return `
${rows.map(([name, value]) => `  ${name!.padEnd(16)}${value}`).join('\n')}

  # paste into another shell
  WEB=${info.webUrl} OPERATOR=${info.operatorToken}
  TOKEN=$(curl -sf '${info.supabaseUrl}/auth/v1/token?grant_type=password' -H 'apikey: ${info.publishableKey}' -H 'content-type: application/json' -d '${signIn}' | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')
  curl -X POST "$WEB/api/compaction/upload" -H "Authorization: Bearer $TOKEN" -F datasetId=my-data -F tableId=flights -F file=@${FLIGHTS}
  curl "$WEB/api/jobs" -H "Authorization: Bearer $TOKEN"
  curl "$WEB/api/datasets/my-data/files" -H "Authorization: Bearer $TOKEN"
  curl -X POST "$WEB/api/compaction/sanitize-state" -H "Authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"datasetId":"my-data"}'
  curl -X POST "$WEB/api/compaction/trigger-scheduled" -H "Authorization: Bearer $OPERATOR" -H 'content-type: application/json' -d '{"limit":10}'
  curl "$WEB/api/compaction/dlq-status" -H "Authorization: Bearer $OPERATOR"
  curl -X POST -H "Authorization: Bearer ${info.controlToken}" ${info.controlUrl}/cron   # the cron of this minute, now
  fusou() { npm run --silent fusou -- "$@"; }   # the command; fusou --help says what it can do
  echo '${user!.password}' | fusou login --url "$WEB" --email ${user!.email} --supabase-url ${info.supabaseUrl} --publishable-key ${info.publishableKey}
  npm run queues:send -- dev-kc-compaction-queue '{"datasetId":"my-data","triggeredAt":"${new Date().toISOString()}"}'

  Ctrl-C stops it; npm start goes on where it was
`
}
