import { asyncApi } from '../src/requests/asyncapi.ts'

/** Makes the AsyncAPI document as a file, by its path from the root. */
export function asyncApiFiles (): Record<string, string> {
  return { 'docs/asyncapi.json': `${JSON.stringify(asyncApi(), null, 2)}\n` }
}
