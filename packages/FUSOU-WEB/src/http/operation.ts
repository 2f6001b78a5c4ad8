import type { ErrorCode, Scope } from '@fusou/catalog'
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Access } from '../auth/caller.ts'
import type { AppEnv } from '../bindings.ts'

/** One successful answer of an operation, as the OpenAPI document shows it. */
export interface Answer {
  readonly description: string
  /** schema of a JSON body; absent when the body is not JSON */
  readonly schema?: z.ZodType
  readonly mediaType?: string
}

/** One call of the HTTP contract: what validates it is what documents it. */
export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** in Hono's words: `/api/jobs/:id` */
  readonly path: string
  readonly summary: string
  readonly access: Access
  /** scope that a key needs to call it in place of its user; `any`: none; left out: keys may not call it */
  readonly scope?: Scope | 'any'
  /** engines read here: by signed links too, and from pages of other origins */
  readonly forEngines?: true
  readonly params?: Params
  readonly query?: Query
  /** schema of a JSON body, which is read and checked before the handler runs */
  readonly body?: Body
  /** schema of a query that the handler checks itself */
  readonly documentedQuery?: z.ZodType
  /** schema of headers that the handler reads itself */
  readonly documentedHeaders?: z.ZodType
  /** bodies that the handler reads itself, by media type */
  readonly streamedBody?: Readonly<Record<string, z.ZodType | 'binary'>>
  readonly answers: Readonly<Record<number, Answer>>
  /** codes beside those that any call of this access and input may give */
  readonly errors?: readonly ErrorCode[]
}

export interface Input<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.infer<Params>
  readonly query: z.infer<Query>
  readonly body: z.infer<Body>
}

export interface Route {
  readonly operation: Operation
  handle(c: Context<AppEnv>, input: Input<z.ZodType, z.ZodType, z.ZodType>): Response | Promise<Response>
}

/** An operation with its handler; the handler sees the input as the schemas of the operation type it. */
export function route<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  operation: Operation<Params, Query, Body>,
  handle: (c: Context<AppEnv>, input: Input<Params, Query, Body>) => Response | Promise<Response>,
): Route {
  return { operation, handle: handle as Route['handle'] }
}
