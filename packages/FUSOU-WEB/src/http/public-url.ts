import { z } from 'zod'

const MAX_URL_CHARACTERS = 2000
/** Names that lead into a network, not to the internet. */
const PRIVATE_SUFFIXES = [
  'localhost',
  'local',
  'internal',
  'intranet',
  'lan',
  'home',
  'corp',
  'test',
  'invalid',
  'arpa',
]

/**
 * An address on the internet that we post to: https, a name with a dot, no user, no IP address. A name that leads to a private
 * address is not noticed here; the Workers of Cloudflare have no private network to reach.
 */
export const PublicUrl = z
  .string()
  .max(MAX_URL_CHARACTERS)
  .superRefine((text, context) => {
    const fault = faultOf(text)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
  })

function faultOf(text: string): string | undefined {
  if (!URL.canParse(text)) return 'not a URL'
  const url = new URL(text)
  const host = url.hostname.replace(/\.$/, '')
  if (url.protocol !== 'https:') return 'must begin with https://'
  if (url.username !== '' || url.password !== '') return 'must not have a user or a password'
  if (host.startsWith('[') || /^[\d.]+$/.test(host)) return 'must have a name, not an IP address'
  if (!host.includes('.') || PRIVATE_SUFFIXES.includes(host.split('.').at(-1)!)) return 'must be on the internet'
  return undefined
}
