import openapiTypescript, { astToString } from 'openapi-typescript'
import ts from 'typescript'
import { describeApi } from '../src/http/describe-api.ts'
import type { Route } from '../src/http/operation.ts'

const HEADER = '// The HTTP API as types, made from its OpenAPI document: npm run docs\n\n'
const UNKNOWN = ts.factory.createKeywordTypeNode(ts.SyntaxKind.UnknownKeyword)

/** The source of packages/client/src/api.ts. */
export async function clientTypes(routes: readonly Route[]): Promise<string> {
  const types = await openapiTypescript(describeApi(routes) as never, {
    defaultNonNullable: false,
    // a type that refers to itself
    transform: (_, { path }) => (path?.endsWith('/AnyJson') ? UNKNOWN : undefined),
  })
  return HEADER + astToString(types)
}
