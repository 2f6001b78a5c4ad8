/** Whether a header of entity tags names this one (RFC 9110, section 8.8.3). */
function names(header: string, etag: string, compare: 'weak' | 'strong'): boolean {
  if (header.trim() === '*') return true
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? []
  return tags.some((tag) => tag === etag || (compare === 'weak' && tag === `W/${etag}`))
}

/**
 * What the conditional headers make of a GET or HEAD (RFC 9110, section 13.2.2). Dates are not kept, so If-Range with a
 * date never matches.
 */
export function evaluatePreconditions(
  headers: Headers,
  etag: string,
): { outcome: 'failed' } | { outcome: 'not_modified' } | { outcome: 'proceed'; honorRange: boolean } {
  const ifMatch = headers.get('if-match')
  if (ifMatch !== null && !names(ifMatch, etag, 'strong')) return { outcome: 'failed' }
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null && names(ifNoneMatch, etag, 'weak')) return { outcome: 'not_modified' }
  const ifRange = headers.get('if-range')
  return { outcome: 'proceed', honorRange: ifRange === null || ifRange.trim() === etag }
}
