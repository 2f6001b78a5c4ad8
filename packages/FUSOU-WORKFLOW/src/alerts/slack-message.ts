import type { AlertNotice } from '@fusou/catalog'

/** Slack refuses a longer section; escaping makes a character five at the most. */
const MAX_SECTION_CHARACTERS = 3000
const MAX_FIELD_CHARACTERS = 100

type Example = NonNullable<AlertNotice['details']['examples']>[number]

/** A message for an incoming webhook; texts of clients can neither link, mention nor format anything. */
export function slackMessage({ kind, action, severity, summary, details, raisedAt }: AlertNotice, source: string) {
  const headline =
    action === 'resolve'
      ? `RESOLVED ${kind} (was: ${plain(summary)})`
      : `${severity.toUpperCase()} ${kind}: ${plain(summary)}`
  const text = `[${plain(source)}] ${headline}`
  const lines = action === 'resolve' ? [`It had been raised at ${plain(raisedAt)}.`] : detailLines(details)
  const sections = [`*${text}*`, lines.join('\n')].filter((section) => section !== '')
  return {
    text,
    blocks: sections.map((section) => ({
      type: 'section',
      text: { type: 'mrkdwn', text: section.slice(0, MAX_SECTION_CHARACTERS) },
    })),
  }
}

function detailLines({
  codes = {},
  examples = [],
  newCauses = [],
  newCauseCount = newCauses.length,
  lastTriggerAt,
  lastRunAt,
}: AlertNotice['details']): string[] {
  const moreCauses = newCauseCount > newCauses.length ? ` and ${newCauseCount - newCauses.length} more` : ''
  const counts = Object.entries(codes).map(([code, count]) => `${plain(code)} × ${count}`)
  return [
    ...(counts.length > 0 ? [counts.slice(0, 10).join(', ')] : []),
    ...(newCauses.length > 0 ? [`New: ${newCauses.slice(0, 10).map(plain).join(', ')}${moreCauses}`] : []),
    ...(lastTriggerAt === undefined ? [] : [`It came last at ${plain(lastTriggerAt)}.`]),
    ...(lastRunAt === undefined ? [] : [`The cron ran last at ${plain(lastRunAt)}.`]),
    ...examples.map(describeExample),
  ]
}

function describeExample(example: Example): string {
  const { code, step, message, priority, datasetId, fileId, jobId, waitsFor, waitingSince } = example
  const parts = [
    code && plain(code),
    step && `at ${plain(step)}`,
    message && plain(message),
    datasetId && `dataset ${plain(datasetId)}`,
    fileId && `file ${plain(fileId)}`,
    jobId && `job ${plain(jobId)}`,
    priority && plain(priority),
    waitsFor && `waits for ${waitsFor === 'slot' ? 'a slot' : 'the queue'}`,
    waitingSince && `waiting since ${plain(waitingSince)}`,
  ]
  return `• ${parts.filter((part) => part).join(' · ')}`
}

/** Zero-width space: keeps the characters that format text at the edge of a word from doing so. */
const BREAK = '\u200b'

/**
 * One line that Slack shows as it is. It asks for `&`, `<` and `>` to be escaped, which also disarms links and mentions:
 * https://docs.slack.dev/messaging/formatting-message-text
 */
function plain(text: string): string {
  const shown = text.length > MAX_FIELD_CHARACTERS ? `${text.slice(0, MAX_FIELD_CHARACTERS)}…` : text
  return shown
    .toWellFormed()
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/(?<!\w)[*_~`]|[*_~`](?!\w)/g, (mark) => `${BREAK}${mark}`)
}
